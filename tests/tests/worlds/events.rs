//! Brokers on NATS that publish in the native encoding, and others that do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use broker_nats::{Encoding, NatsBroker};
use micro_conformance::World;
use micro_conformance::nats_server::NatsServer;
use micro_core::{Broker, PluginConfig};
use nats_common::Connection;

/// A server of its own. The first instance publishes natively, the next in go-micro's encoding, and so in turn: a fleet
/// that changes over.
pub(crate) struct ChangingFleet {
    server: NatsServer,
    opened: AtomicUsize,
}

impl ChangingFleet {
    pub(crate) async fn start() -> Self {
        ChangingFleet {
            server: NatsServer::start().await,
            opened: AtomicUsize::new(0),
        }
    }
}

#[async_trait]
impl World<dyn Broker> for ChangingFleet {
    async fn open(&self) -> Arc<dyn Broker> {
        let config = PluginConfig::default().with_addresses(&self.server.address());
        let connection = Connection::open(&config).await.expect("a connection");
        let native = self.opened.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        let encoding = if native {
            Encoding::Native
        } else {
            Encoding::GoMicro
        };
        Arc::new(NatsBroker::new(connection).with_encoding(encoding))
    }
}
