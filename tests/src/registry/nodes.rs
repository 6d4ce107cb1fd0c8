//! Nodes make a service; the same id is the same node.

use futures::future::join_all;
use micro_core::Node;

use super::RegistryWorld;
use super::records::{assert_not_found, ids, only, register, service, version};

/// A node registered again is one node, as it was said last.
pub async fn the_same_node_id_again_replaces_it(world: &RegistryWorld) {
    let (here, there) = (world.open().await, world.open().await);
    register(&there, &service("greeter", "node")).await;
    let mut moved = service("greeter", "node");
    moved.nodes[0].address = "elsewhere".to_owned();
    moved.nodes[0].metadata.insert("zone".to_owned(), "b".to_owned());
    register(&there, &moved).await;
    register(&there, &moved).await;
    assert_eq!(here.get("greeter").await.unwrap(), [moved]);
}

/// Nodes in several instances make one version of one service.
pub async fn nodes_of_one_version_are_merged(world: &RegistryWorld) {
    let here = world.open().await;
    let mut others = Vec::new();
    for node in ["a", "b", "c"] {
        let registry = world.open().await;
        register(&registry, &service("greeter", node)).await;
        others.push(registry);
    }
    register(&here, &service("greeter", "d")).await;
    for registry in others.iter().chain([&here]) {
        assert_eq!(ids(registry, "greeter").await, only("1", &["a", "b", "c", "d"]));
    }
}

/// A hundred nodes registered at the same time are all found.
pub async fn nodes_registered_at_once_are_all_found(world: &RegistryWorld) {
    let mut registries = Vec::new();
    for _ in 0..5 {
        registries.push(world.open().await);
    }
    let expected = (0..100)
        .map(|index| format!("node-{index:02}"))
        .collect::<Vec<_>>();
    let registering = expected.iter().cloned().enumerate().map(|(index, node)| {
        let registry = registries[index % 5].clone();
        tokio::spawn(async move { register(&registry, &service("greeter", &node)).await })
    });
    for outcome in join_all(registering).await {
        outcome.unwrap();
    }
    let found = ids(&world.open().await, "greeter").await;
    assert_eq!(found, [("1".to_owned(), expected)]);
}

/// Versions of one service are records of their own, each with its nodes.
pub async fn versions_stay_apart(world: &RegistryWorld) {
    let (here, there) = (world.open().await, world.open().await);
    register(&there, &version("greeter", "1", "a")).await;
    register(&there, &version("greeter", "2", "b")).await;
    register(&here, &version("greeter", "2", "c")).await;
    register(&here, &version("greeter", "", "d")).await;
    let expected = [only("", &["d"]), only("1", &["a"]), only("2", &["b", "c"])];
    assert_eq!(ids(&here, "greeter").await, expected.concat());
}

/// A node that was taken back is not found, and the others still are.
pub async fn a_deregistered_node_is_gone(world: &RegistryWorld) {
    let (here, there) = (world.open().await, world.open().await);
    for node in ["a", "b"] {
        register(&there, &service("greeter", node)).await;
    }
    register(&here, &service("greeter", "c")).await;
    assert_eq!(ids(&here, "greeter").await, only("1", &["a", "b", "c"]));
    there.deregister(&service("greeter", "a")).await.unwrap();
    assert_eq!(ids(&here, "greeter").await, only("1", &["b", "c"]));
    assert_eq!(ids(&there, "greeter").await, only("1", &["b", "c"]));
}

/// Without nodes there is no service.
pub async fn the_last_node_takes_the_service_with_it(world: &RegistryWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let record = version("greeter", "1", "a").with_node(Node::new("b", "address-of-b"));
    register(&there, &record).await;
    assert_eq!(ids(&here, "greeter").await, only("1", &["a", "b"]));
    there.deregister(&record).await.unwrap();
    assert_not_found(&here, "greeter").await;
    assert_not_found(&there, "greeter").await;
    assert_eq!(here.list().await.unwrap(), []);
}

/// To take back what was not registered, or no longer is, is not an error and changes nothing.
pub async fn deregistering_what_is_not_there_is_ok(world: &RegistryWorld) {
    let registry = world.open().await;
    registry.deregister(&service("greeter", "a")).await.unwrap();
    register(&registry, &service("greeter", "a")).await;
    registry.deregister(&service("greeter", "b")).await.unwrap();
    registry.deregister(&version("greeter", "2", "a")).await.unwrap();
    assert_eq!(ids(&registry, "greeter").await, only("1", &["a"]));
    for _ in 0..2 {
        registry.deregister(&service("greeter", "a")).await.unwrap();
    }
    assert_not_found(&registry, "greeter").await;
}
