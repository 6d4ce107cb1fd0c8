//! Who asks, finds.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use micro_core::registry::Value;
use micro_core::{Endpoint, Node, Registry, ServiceRecord};

use super::RegistryWorld;
use super::records::{assert_not_found, ids, only, register, service, version};
use crate::value::attempt;

/// Whoever asks at the instant when `register` returned finds the service: a thousand times, without a miss.
pub async fn a_registered_service_is_found_at_once(world: &RegistryWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let rounds = stream::iter(0..1000).map(async |index| {
        let name = format!("service-{index}");
        register(&there, &service(&name, "node")).await;
        assert_eq!(ids(&here, &name).await, only("1", &["node"]), "{name}");
    });
    rounds.buffer_unordered(64).collect::<Vec<_>>().await;
}

/// An instance finds its own services, too.
pub async fn a_registry_finds_what_it_registered_itself(world: &RegistryWorld) {
    let registry = world.open().await;
    register(&registry, &service("greeter", "node")).await;
    assert_eq!(ids(&registry, "greeter").await, only("1", &["node"]));
}

/// A service that nobody registered is not found, also where others are: never an empty success.
pub async fn an_unknown_service_is_not_found(world: &RegistryWorld) {
    let (here, there) = (world.open().await, world.open().await);
    assert_not_found(&here, "nobody").await;
    register(&there, &service("greeter", "node")).await;
    for name in ["nobody", "greet", "greeter.more", "Greeter"] {
        assert_not_found(&here, name).await;
    }
}

/// Where nothing is registered, the list is empty.
pub async fn an_empty_list_is_ok(world: &RegistryWorld) {
    assert_eq!(world.open().await.list().await.unwrap(), []);
}

/// The list has each version of each service once, of whatever instance.
pub async fn a_list_has_every_version_of_every_service(world: &RegistryWorld) {
    let registries = [world.open().await, world.open().await];
    for (registry, record) in [
        (0, version("a", "1", "node-1")),
        (1, version("a", "2", "node-2")),
        (0, version("b", "1", "node-3")),
        (1, version("b", "1", "node-4")),
        (1, version("c", "", "node-5")),
    ] {
        register(&registries[registry], &record).await;
    }
    let expected = [("a", "1"), ("a", "2"), ("b", "1"), ("c", "")];
    for registry in &registries {
        assert_eq!(names_and_versions(registry).await, expected.map(owned));
    }
}

async fn names_and_versions(registry: &Arc<dyn Registry>) -> Vec<(String, String)> {
    let list = registry.list().await.unwrap();
    let mut found = list
        .into_iter()
        .map(|record| (record.name, record.version))
        .collect::<Vec<_>>();
    found.sort_unstable();
    found
}

fn owned((name, version): (&str, &str)) -> (String, String) {
    (name.to_owned(), version.to_owned())
}

/// Everything in a record is found as it was registered.
pub async fn a_record_is_found_unchanged(world: &RegistryWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let record = rich_record();
    register(&there, &record).await;
    let found = here.get("go.micro.srv.greeter").await.unwrap();
    assert_eq!(found, std::slice::from_ref(&record));
    assert_eq!(here.list().await.unwrap(), [record]);
}

fn rich_record() -> ServiceRecord {
    let mut endpoint = Endpoint::new("Greeter.Hello").with_metadata("description", "Grüßt 日本 <b>&\"\\");
    endpoint.request = Some(Value {
        name: "HelloRequest".to_owned(),
        kind: "HelloRequest".to_owned(),
        values: vec![Value {
            name: "name".to_owned(),
            kind: "string".to_owned(),
            values: Vec::new(),
        }],
    });
    let node = Node::new("greeter-1", "an.address")
        .with_metadata("protocol", "mucp")
        .with_metadata("empty", "");
    let mut record = ServiceRecord::new("go.micro.srv.greeter", "1.0.0-rc.1+build")
        .with_node(node)
        .with_endpoint(endpoint)
        .with_endpoint(Endpoint::new("Greeter.Count").with_metadata("stream", "true"));
    record.metadata.insert("owner".to_owned(), "čtyři 🦀".to_owned());
    record
}

/// A dropped `get` future spoils nothing for those that come after it.
pub async fn a_cancelled_get_leaves_nothing_behind(world: &RegistryWorld) {
    let (here, there) = (world.open().await, world.open().await);
    register(&there, &service("greeter", "node")).await;
    for _ in 0..100 {
        attempt(here.get("greeter")).await;
        attempt(here.get("nobody")).await;
        attempt(here.list()).await;
    }
    assert_eq!(ids(&here, "greeter").await, only("1", &["node"]));
    assert_not_found(&here, "nobody").await;
}
