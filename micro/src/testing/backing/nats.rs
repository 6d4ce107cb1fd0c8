//! A nats-server; each host has its own connection, as a process has.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use broker_nats::NatsBroker;
use micro_core::{Broker, PluginConfig, Registry, Result, Transport};
use nats_common::Connection;
use nats_testing::NatsServer;
use registry_nats::{NatsRegistry, RegistryOptions};
use transport_nats::NatsTransport;

/// A nats-server, of the testbed's own or of somebody else's.
pub(in crate::testing) struct Nats {
    servers: String,
    _own: Option<Box<NatsServer>>,
}

impl Nats {
    pub(in crate::testing) async fn start() -> Self {
        let server = NatsServer::start().await;
        Nats {
            servers: server.address(),
            _own: Some(Box::new(server)),
        }
    }

    pub(in crate::testing) fn at(servers: &str) -> Self {
        Nats {
            servers: servers.to_owned(),
            _own: None,
        }
    }

    pub(super) async fn connect(&self, host: &str) -> Result<Arc<Connection>> {
        let config = PluginConfig::default().with_addresses(&self.servers);
        Connection::open(&config.with_client_name(host)).await
    }
}

pub(super) fn transport(connection: &Arc<Connection>) -> Arc<dyn Transport> {
    Arc::new(NatsTransport::new(connection.clone()))
}

pub(super) fn broker(connection: &Arc<Connection>) -> Arc<dyn Broker> {
    Arc::new(NatsBroker::new(connection.clone()))
}

/// The defaults suit a network. On a machine that runs many tests at once, answers may take longer.
pub(super) fn registry(connection: &Arc<Connection>) -> Arc<dyn Registry> {
    let options = RegistryOptions::default()
        .with_query_limit(Duration::from_secs(1))
        .with_quiet(Duration::from_millis(100));
    Arc::new(NatsRegistry::new(connection.clone(), options))
}

impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats")
            .field("servers", &self.servers)
            .finish_non_exhaustive()
    }
}
