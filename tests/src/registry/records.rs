//! Short words for what clauses register and find.

use std::sync::Arc;

use micro_core::registry::{RegisterOptions, WatchOptions};
use micro_core::{Action, Change, ErrorKind, Node, Registry, ServiceRecord, Watcher};

/// One node of version 1 of a service.
pub(super) fn service(name: &str, node: &str) -> ServiceRecord {
    version(name, "1", node)
}

/// One node of a version of a service.
///
/// It names its protocol: a backend that go-micro peers read may fill that in where it is missing.
pub(super) fn version(name: &str, version: &str, node: &str) -> ServiceRecord {
    let node = Node::new(node, format!("address-of-{node}")).with_metadata("protocol", "mucp");
    ServiceRecord::new(name, version).with_node(node)
}

pub(super) async fn register(registry: &Arc<dyn Registry>, record: &ServiceRecord) {
    registry
        .register(record, RegisterOptions::default())
        .await
        .unwrap();
}

pub(super) async fn watch(registry: &Arc<dyn Registry>, service: &str) -> Watcher {
    let options = WatchOptions::default().with_service(service);
    registry.watch(options).await.unwrap()
}

/// The next change that is one of these: a backend may repeat itself, or announce refreshes of its own.
pub(super) async fn see(watcher: &mut Watcher, actions: &[Action]) -> Change {
    loop {
        let change = watcher.recv().await.unwrap();
        if actions.contains(&change.action) {
            return change;
        }
    }
}

/// The versions of a service with the ids of their nodes, all sorted.
pub(super) async fn ids(registry: &Arc<dyn Registry>, name: &str) -> Vec<(String, Vec<String>)> {
    let found = registry.get(name).await.unwrap();
    assert!(found.iter().all(|record| record.name == name), "{found:?}");
    let mut versions = found.iter().map(version_and_ids).collect::<Vec<_>>();
    versions.sort_unstable();
    versions
}

fn version_and_ids(record: &ServiceRecord) -> (String, Vec<String>) {
    let mut ids = node_ids(record);
    ids.sort_unstable();
    (record.version.clone(), ids)
}

pub(super) fn node_ids(record: &ServiceRecord) -> Vec<String> {
    record.nodes.iter().map(|node| node.id.clone()).collect()
}

/// What [`ids`] answers for one version.
pub(super) fn only(version: &str, ids: &[&str]) -> Vec<(String, Vec<String>)> {
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    vec![(version.to_owned(), ids)]
}

pub(super) async fn assert_not_found(registry: &Arc<dyn Registry>, name: &str) {
    let error = registry.get(name).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
}

/// Asks until nobody serves it any more.
pub(super) async fn until_not_found(registry: &Arc<dyn Registry>, name: &str) {
    loop {
        match registry.get(name).await {
            Ok(_) => tokio::task::yield_now().await,
            Err(error) => return assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}"),
        }
    }
}
