//! The test kit of `micro`: each test in memory, and on a real nats-server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use micro::prelude::*;
use micro::testing::{Host, Testbed};
use micro::{Backends, ServiceBuilder};
use tokio::sync::mpsc;

mod clock;
mod faults;
mod killing;
mod partitions;
mod scripts;
mod sockets;
mod world;

pub(crate) use world::TestbedWorld;

/// A failure bound: nothing waits for it.
const LIMIT: Duration = Duration::from_secs(20);

/// A test of each function: in memory, and on a real nats-server.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $test() {
                tokio::time::timeout(super::super::LIMIT, super::$test(micro::testing::Testbed::memory())).await.unwrap();
            })+
        }

        mod nats {
            $(#[tokio::test]
            async fn $test() {
                let bed = micro::testing::Testbed::nats().await;
                tokio::time::timeout(super::super::LIMIT, super::$test(bed)).await.unwrap();
            })+
        }
    };
}
use on_both;

/// `Test.Name`, which answers with a name.
fn named(name: &'static str) -> Router {
    Router::new().unary("Test.Name", move |_: Context, Json(()): Json<()>| async move {
        Ok(Json(name.to_owned()))
    })
}

/// A service that answers with the name of its host.
async fn instance(host: &Host, name: &'static str) -> Service {
    host.service("test").serve(named(name)).start().await.unwrap()
}

async fn ask(client: &Client) -> Result<String, Status> {
    let Json(name) = client.unary("test", "Test.Name", Json(())).await?;
    Ok(name)
}

/// A service that tells which numbers it heard.
fn hearing(builder: ServiceBuilder) -> (ServiceBuilder, mpsc::UnboundedReceiver<u32>) {
    let (sender, heard) = mpsc::unbounded_channel();
    let builder = builder.subscribe("numbers", move |_: Context, Json(number): Json<u32>| {
        let sent = sender.send(number);
        async move { sent.map_err(|_| Status::internal("the test has ended")) }
    });
    (builder, heard)
}

async fn publish(backends: &Backends, numbers: impl IntoIterator<Item = u32>) {
    for number in numbers {
        backends.publish_to("numbers", &Json(number)).await.unwrap();
    }
    backends.publisher().flush().await.unwrap();
}

#[tokio::test]
async fn backends_are_named_by_an_argument() {
    let bed = Testbed::named("memory").await.unwrap();
    let _service = instance(&bed.host("a"), "a").await;
    assert_eq!(ask(&bed.client().await.unwrap()).await.as_deref(), Ok("a"));
    let error = Testbed::named("pigeon").await.unwrap_err();
    assert!(error.to_string().contains("known: memory, nats"), "{error}");
}
