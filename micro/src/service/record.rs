//! What the registry is told of a service.

use micro_core::registry::Endpoint;
use micro_core::{Address, Node, Server, ServiceRecord};
use uuid::Uuid;

use super::subscriber::Subscriber;
use crate::backends::Backends;
use crate::config::Config;

/// A subscription as go-micro has it in the registry.
pub(super) fn endpoint(subscriber: &Subscriber) -> Endpoint {
    let endpoint = Endpoint::new(&subscriber.name)
        .with_metadata("topic", &subscriber.topic)
        .with_metadata("subscriber", "true");
    match &subscriber.options.queue {
        Some(queue) => endpoint.with_metadata("queue", queue),
        None => endpoint,
    }
}

/// What the registry is told. `protocol` and `server` say to go-micro's clients how it is called.
pub(super) fn record(
    config: &Config,
    backends: &Backends,
    server: &Server,
    endpoints: Vec<Endpoint>,
) -> ServiceRecord {
    let id = config
        .id
        .clone()
        .unwrap_or_else(|| format!("{}-{}", config.name, Uuid::new_v4()));
    let address = config
        .advertise
        .as_ref()
        .map_or(server.address(), |address| address);
    let mut node = Node::new(id, Address::as_str(address));
    node.metadata.extend(config.metadata.clone());
    node.metadata.extend(server.metadata().clone());
    let node = node
        .with_metadata("protocol", "mucp")
        .with_metadata("server", "mucp")
        .with_metadata("transport", backends.transport().name())
        .with_metadata("broker", backends.broker().name())
        .with_metadata("registry", backends.registry().name());
    let mut record = ServiceRecord::new(&config.name, &config.version).with_node(node);
    record.endpoints = endpoints;
    record
}
