use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use micro_core::memory::{MemoryBroker, MemoryRegistry, MemoryTransport};
use micro_core::registry::{RegisterOptions, WatchOptions};
use micro_core::{
    Action, Address, Code, Context, Error, ErrorKind, Event, Headers, Json, Message, Registry, Request,
    Response, Router, Status, Watcher,
};
use tokio::sync::{Notify, mpsc, oneshot};

use super::*;
use crate::SubscriberOptions;

mod ailing;
mod flagged;
mod hearing;
mod registration;
#[cfg(unix)]
mod signalled;
mod stopping;

/// A world of its own, in which several services meet.
#[derive(Clone, Default)]
struct World {
    transport: MemoryTransport,
    broker: MemoryBroker,
    registry: MemoryRegistry,
}

impl World {
    fn service(&self, name: &str) -> ServiceBuilder {
        Service::builder(name)
            .transport(Arc::new(self.transport.clone()))
            .broker(Arc::new(self.broker.clone()))
            .registry(Arc::new(self.registry.clone()))
    }
}

async fn hello(_: Context, Json(name): Json<String>) -> Result<Json<String>, Status> {
    Ok(Json(format!("Hello {name}")))
}

fn greeter() -> Router {
    Router::new().unary("Greeter.Hello", hello)
}

async fn call(service: &Service, name: &'static str) -> Result<String, Status> {
    let Json(reply) = service
        .client()
        .unary(name, "Greeter.Hello", Json("Ada".to_owned()))
        .await?;
    Ok(reply)
}

#[tokio::test]
async fn a_started_service_is_called_at_once() {
    let service = World::default()
        .service("greeter")
        .serve(greeter())
        .start()
        .await
        .unwrap();
    assert_eq!(call(&service, "greeter").await.unwrap(), "Hello Ada");
    assert!(service.health().is_ok());
    service.shutdown().await.unwrap();
}

#[tokio::test]
async fn the_registry_is_told_what_go_micro_needs() {
    let service = World::default()
        .service("greeter")
        .version("1.2.0")
        .metadata("zone", "a")
        .serve(greeter())
        .subscribe_queue("events.hello", "workers", on_number)
        .start()
        .await
        .unwrap();
    let records = service.registry().get("greeter").await.unwrap();
    let [record] = &records[..] else {
        panic!("{records:?}")
    };
    assert_eq!(record, service.record());
    assert_eq!(
        (record.name.as_str(), record.version.as_str()),
        ("greeter", "1.2.0")
    );
    let node = &record.nodes[0];
    assert!(
        node.id.starts_with("greeter-") && node.id.len() == "greeter-".len() + 36,
        "{}",
        node.id
    );
    for (key, value) in [
        ("protocol", "mucp"),
        ("server", "mucp"),
        ("transport", "memory"),
        ("broker", "memory"),
        ("registry", "memory"),
        ("zone", "a"),
    ] {
        assert_eq!(node.metadata.get(key).map(String::as_str), Some(value), "{key}");
    }
    let names: Vec<_> = record
        .endpoints
        .iter()
        .map(|endpoint| endpoint.name.as_str())
        .collect();
    assert_eq!(names, ["Greeter.Hello", "on_number"], "Debug.Health is not told");
    let metadata = &record.endpoints[1].metadata;
    assert_eq!(metadata["topic"], "events.hello");
    assert_eq!(metadata["subscriber"], "true");
}

async fn on_number(_: Context, Json(_): Json<u32>) -> Result<(), Status> {
    Ok(())
}

#[tokio::test]
async fn the_version_is_latest_where_nobody_says() {
    let service = World::default().service("greeter").start().await.unwrap();
    assert_eq!((service.name(), service.version()), ("greeter", "latest"));
}

#[tokio::test]
async fn debug_health_is_called_by_name() {
    let service = World::default().service("greeter").start().await.unwrap();
    let request = Request::new("greeter", "Debug.Health", bytes::Bytes::from_static(b"{}\n"));
    let answer = service.client().send(request).await.unwrap().body.into_one();
    assert_eq!(answer, "{\"status\":\"ok\"}\n");
}

#[tokio::test]
async fn a_mistake_is_reported_before_anything_is_opened() {
    let world = World::default();
    let twice = world.service("greeter").serve(greeter()).serve(greeter());
    assert_eq!(twice.start().await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    for builder in [
        world.service("two words"),
        world.service("greeter").subscribe("a b", on_number),
        world.service("greeter").selector("best"),
        world.service("greeter").metadata("transport", "pigeon"),
        world
            .service("greeter")
            .broker_plugin(crate::PluginChoice::new("pigeon")),
    ] {
        assert_eq!(
            builder.start().await.unwrap_err().kind(),
            ErrorKind::InvalidArgument
        );
    }
    assert!(world.registry.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_layer_sees_every_request() {
    let seen = Arc::new(AtomicU64::new(0));
    let counter = seen.clone();
    let layer = tower::layer::layer_fn(move |routes: Routes| {
        let counter = counter.clone();
        tower::service_fn(move |request: Request| {
            counter.fetch_add(1, Ordering::SeqCst);
            tower::ServiceExt::oneshot(routes.clone(), request)
        })
    });
    let service = World::default()
        .service("greeter")
        .serve(greeter())
        .layer(layer)
        .start()
        .await
        .unwrap();
    call(&service, "greeter").await.unwrap();
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_error_of_a_layer_becomes_a_status() {
    let layer = |error: fn() -> tower::BoxError| {
        tower::layer::layer_fn(move |_: Routes| {
            tower::service_fn(move |_: Request| async move { Err::<Response, _>(error()) })
        })
    };
    let refused = |layer| async move {
        let service = World::default()
            .service("greeter")
            .serve(greeter())
            .layer(layer)
            .start()
            .await
            .unwrap();
        call(&service, "greeter").await.unwrap_err()
    };
    let status = refused(layer(|| Status::permission_denied("not you").into())).await;
    assert_eq!(status.code(), Code::PermissionDenied);
    let status = refused(layer(|| "broken".into())).await;
    assert_eq!((status.code(), status.message()), (Code::Internal, "broken"));
}
