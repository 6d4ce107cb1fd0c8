//! What is known of an interface before it is called.

use micro::ErrorKind;
use micro::prelude::*;

use super::TypedWorld;
use super::interface::{OrdersServer, Shop, shop};
use crate::service::process::Process;

/// Names, shapes of messages and descriptions are in the registry, for whoever asks there.
pub async fn the_registry_says_what_the_author_said(world: &TypedWorld) {
    let (_client, _service) = shop(world).await;
    let record = Process::open(world).await.find("orders").await.remove(0);
    let names: Vec<_> = record
        .endpoints
        .iter()
        .map(|endpoint| endpoint.name.as_str())
        .collect();
    let expected = ["Around", "Echo", "List", "Place", "PlaceAll"];
    assert_eq!(names, expected.map(|name| format!("Orders.{name}")));
    let described = |name: &str| {
        let endpoint = record
            .endpoints
            .iter()
            .find(|endpoint| endpoint.name == name)
            .unwrap();
        endpoint.metadata.get("description").cloned()
    };
    let place = described("Orders.Place");
    assert_eq!(
        place.as_deref(),
        Some("Places one order, and says how much it was.")
    );
    assert_eq!(described("Orders.List").as_deref(), Some("Lists orders."));
    assert_eq!(described("Orders.Echo"), None);
    let place = record
        .endpoints
        .iter()
        .find(|endpoint| endpoint.name == "Orders.Place");
    let request = place.unwrap().request.as_ref().unwrap();
    let fields: Vec<_> = request
        .values
        .iter()
        .map(|field| (&*field.name, &*field.kind))
        .collect();
    assert_eq!(
        (&*request.kind, &fields[..]),
        ("Order", &[("id", "uint64"), ("lines", "[]Line")][..])
    );
}

/// Two implementations of one interface in one process are a mistake, and the start says so.
pub async fn an_endpoint_that_is_served_twice_is_an_error_at_the_start(world: &TypedWorld) {
    let there = Process::open(world).await;
    let service = there.service("orders").serve(OrdersServer::new(Shop));
    let error = service.serve(OrdersServer::new(Shop)).start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
    assert!(error.to_string().contains("Orders."), "{error}");
    assert!(
        there.registry.get("orders").await.is_err(),
        "nothing is left behind"
    );
    let service = there
        .service("orders")
        .serve(OrdersServer::new(Shop))
        .start()
        .await;
    let service: Service = service.unwrap();
    assert!(service.health().is_ok());
}
