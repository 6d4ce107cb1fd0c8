//! Interfaces that are accepted, and what is known of them before anything runs.

use micro::{Bytes, ErrorKind, prelude::*};
use serde::{Deserialize, Serialize};

/// Asks for a sum.
#[derive(Debug, Serialize, Deserialize)]
pub struct Numbers {
    /// To be added.
    pub numbers: Vec<u32>,
}

/// Everything that an author can say.
#[micro::service(name = "shop.calculator", prefix = "Calc", timeout = "3s")]
pub trait Calculator {
    /// Adds | numbers,
    /// all of them.
    ///
    /// This is not part of the description.
    ///
    /// # Errors
    /// None that the author knows of.
    #[endpoint(name = "Sum", idempotent, timeout = "200ms")]
    async fn add(&self, ctx: &Context, req: Numbers) -> Result<u32, Status>;
    /// Streams in.
    async fn add_all(&self, _: &Context, numbers: Streaming<Numbers>) -> Result<u32, Status>;
    /// Streams out.
    async fn count_to(&self, _ctx: &micro::Context, to: u32) -> Result<micro::Streaming<u32>, micro::Status>;
    /// Streams both ways.
    async fn r#loop(&self, ctx: &Context, numbers: Streaming<u32>) -> Result<Streaming<u32>, Status>;
    /// Takes bytes as they are.
    #[endpoint(codec = "payload")]
    async fn raw(&self, ctx: &Context, bytes: Bytes) -> Result<Bytes, Status>;
    /// Takes what prost knows.
    #[endpoint(codec = "protobuf")]
    async fn proto(&self, ctx: &Context, text: String) -> Result<(), Status>;
    /// Takes both.
    #[endpoint(codec = "protobuf, json")]
    async fn both(&self, ctx: &Context, text: String) -> Result<String, Status>;
    /// Is no more.
    #[deprecated = "add instead"]
    async fn old(&self, ctx: &Context, req: u32) -> Result<u32, Status>;
    /// Is not there.
    #[cfg(any())]
    async fn missing(&self, ctx: &Context, req: NoSuchType) -> Result<u32, Status>;
}

/// Nobody outside sees it, and nothing warns of what is not used.
mod private {
    use super::*;

    #[micro::service]
    trait Hidden: std::fmt::Debug {
        async fn hide(&self, ctx: &Context, req: ()) -> Result<(), Status>;
    }

    #[micro::service]
    pub(super) trait HTTPProxy {}

    #[derive(Debug)]
    struct Nothing;

    impl Hidden for Nothing {
        async fn hide(&self, _: &Context, (): ()) -> Result<(), Status> {
            Ok(())
        }
    }

    #[test]
    fn an_interface_may_be_private() {
        assert_eq!(Router::from(HiddenServer::new(Nothing)).endpoints().len(), 1);
    }
}

struct Abacus;

impl Calculator for Abacus {
    async fn add(&self, _: &Context, req: Numbers) -> Result<u32, Status> {
        Ok(req.numbers.into_iter().sum())
    }

    async fn add_all(&self, _: &Context, mut numbers: Streaming<Numbers>) -> Result<u32, Status> {
        let mut sum = 0;
        while let Some(more) = numbers.next().await {
            sum += more?.numbers.into_iter().sum::<u32>();
        }
        Ok(sum)
    }

    async fn count_to(&self, _: &Context, to: u32) -> Result<Streaming<u32>, Status> {
        Ok((1..=to).collect())
    }

    async fn r#loop(&self, _: &Context, numbers: Streaming<u32>) -> Result<Streaming<u32>, Status> {
        Ok(numbers)
    }

    async fn raw(&self, _: &Context, bytes: Bytes) -> Result<Bytes, Status> {
        Ok(bytes)
    }

    async fn proto(&self, _: &Context, _: String) -> Result<(), Status> {
        Ok(())
    }

    async fn both(&self, _: &Context, text: String) -> Result<String, Status> {
        Ok(text)
    }

    async fn old(&self, _: &Context, req: u32) -> Result<u32, Status> {
        Ok(req)
    }
}

fn router() -> Router {
    CalculatorServer::new(Abacus).into()
}

#[test]
fn endpoints_are_named_as_go_micro_names_them() {
    let names: Vec<_> = router()
        .endpoints()
        .into_iter()
        .map(|endpoint| endpoint.name)
        .collect();
    let expected = ["AddAll", "Both", "CountTo", "Loop", "Old", "Proto", "Raw", "Sum"];
    assert_eq!(names, expected.map(|name| format!("Calc.{name}")));
}

#[test]
fn the_registry_is_told_what_the_author_said() {
    let endpoints = router().endpoints();
    let sum = endpoints
        .iter()
        .find(|endpoint| endpoint.name == "Calc.Sum")
        .unwrap();
    assert_eq!(sum.metadata["description"], "Adds | numbers, all of them.");
    let request = sum.request.as_ref().unwrap();
    assert_eq!(
        (request.kind.as_str(), request.values[0].name.as_str()),
        ("Numbers", "numbers")
    );
    assert_eq!(request.values[0].kind, "[]uint32");
    assert_eq!(sum.response.as_ref().unwrap().kind, "uint32");
    let stream = endpoints
        .iter()
        .find(|endpoint| endpoint.name == "Calc.AddAll")
        .unwrap();
    assert_eq!(stream.metadata["stream"], "true");
    assert_eq!(stream.metadata["description"], "Streams in.");
}

#[test]
fn a_client_knows_whom_to_call() {
    assert_eq!(CalculatorClient::SERVICE, "shop.calculator");
    assert_eq!(private::HTTPProxyClient::SERVICE, "http-proxy");
}

#[test]
fn an_endpoint_that_is_served_twice_is_reported() {
    let error = router().merge(router()).check().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
    assert!(error.to_string().contains("Calc.AddAll"), "{error}");
}

/// What takes the interface takes a client of it, too.
#[test]
fn a_client_implements_its_interface() {
    fn takes(_: impl Calculator + Clone + std::fmt::Debug) {}
    let _: fn(CalculatorClient) = |client| takes(client);
}

/// A future of the trait can be spawned.
#[test]
fn handlers_can_be_spawned() {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let spawned = runtime.spawn(async { Abacus.add(&Context::new(), Numbers { numbers: vec![1, 2] }).await });
    assert_eq!(runtime.block_on(spawned).unwrap(), Ok(3));
}
