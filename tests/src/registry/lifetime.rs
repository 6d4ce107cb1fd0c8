//! How long a node lives.

use std::sync::Arc;
use std::time::Duration;

use micro_core::registry::RegisterOptions;
use micro_core::{Action, Registry, ServiceRecord};

use super::RegistryWorld;
use super::records::{assert_not_found, ids, only, register, see, service, until_not_found, watch};

/// The shortest time to live that clauses ask for.
const SHORT: Duration = Duration::from_millis(500);

async fn register_for(registry: &Arc<dyn Registry>, record: &ServiceRecord, ttl: Duration) {
    let options = RegisterOptions::default().with_ttl(ttl);
    registry.register(record, options).await.unwrap();
}

/// Without a refresh, a node is gone when its time to live has passed, and not long before.
pub async fn a_node_that_is_not_refreshed_ages_out(world: &RegistryWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let start = std::time::Instant::now();
    register_for(&there, &service("greeter", "short"), SHORT).await;
    register(&there, &service("greeter", "long")).await;
    assert_eq!(ids(&here, "greeter").await, only("1", &["long", "short"]));
    until_left(&here, "greeter", "long").await;
    assert!(start.elapsed() >= SHORT, "after {:?}", start.elapsed());
}

/// A refresh begins the time to live anew.
pub async fn a_refreshed_node_lives_on(world: &RegistryWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let record = service("greeter", "node");
    register_for(&there, &record, 3 * SHORT).await;
    // A node that nobody refreshes is the clock. Four of them outlast the time to live of one that is refreshed.
    for clock in ["first", "second", "third", "fourth"] {
        let mut watcher = watch(&here, clock).await;
        register_for(&there, &service(clock, "node"), SHORT).await;
        see(&mut watcher, &[Action::Delete]).await;
        register_for(&there, &record, 3 * SHORT).await;
    }
    assert_eq!(ids(&here, "greeter").await, only("1", &["node"]));
    until_not_found(&here, "greeter").await;
}

/// What was registered through an instance goes with it.
pub async fn what_a_dropped_registry_registered_is_gone(world: &RegistryWorld) {
    let (here, there) = (world.open().await, world.open().await);
    register(&there, &service("greeter", "a")).await;
    register(&here, &service("greeter", "b")).await;
    register(&there, &service("other", "c")).await;
    assert_eq!(ids(&here, "greeter").await, only("1", &["a", "b"]));
    drop(there);
    until_not_found(&here, "other").await;
    until_left(&here, "greeter", "b").await;
}

/// A node that was taken back may be registered again, by another instance and at another address.
pub async fn a_node_may_come_back_under_its_id(world: &RegistryWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let mut watcher = watch(&here, "greeter").await;
    register(&there, &service("greeter", "node")).await;
    there.deregister(&service("greeter", "node")).await.unwrap();
    see(&mut watcher, &[Action::Delete]).await;
    assert_not_found(&here, "greeter").await;
    let mut moved = service("greeter", "node");
    moved.nodes[0].address = "elsewhere".to_owned();
    let third = world.open().await;
    register(&third, &moved).await;
    for registry in [&here, &there, &third] {
        assert_eq!(registry.get("greeter").await.unwrap(), [moved.clone()]);
    }
}

/// Asks until this node is the only one left.
async fn until_left(registry: &Arc<dyn Registry>, name: &str, node: &str) {
    while ids(registry, name).await != only("1", &[node]) {
        tokio::task::yield_now().await;
    }
}
