//! A real nats-server for each clause.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use broker_nats::NatsBroker;
use micro_conformance::nats_server::NatsServer;
use micro_conformance::{Faults, Loss, Peer, World};
use micro_core::{Broker, PluginConfig, Registry, Transport};
use nats_common::Connection;
use registry_nats::{NatsRegistry, RegistryOptions};
use tokio::sync::Mutex;
use transport_nats::{Encoding, NatsTransport};

use super::lossy::LossyProxy;
use super::process::Process;

/// Many packets, and more than a reader may leave unread; the default of 65 MiB would take a debug build seconds.
const MAX_MESSAGE: usize = 8 << 20;

/// A server of its own. Each instance has its own connection to it, as each process has.
pub(crate) struct NatsWorld {
    pub(crate) server: Mutex<NatsServer>,
    address: String,
    encoding: Encoding,
}

impl NatsWorld {
    pub(crate) async fn start() -> Self {
        let server = NatsServer::start().await;
        NatsWorld {
            address: server.address(),
            server: Mutex::new(server),
            encoding: Encoding::Native,
        }
    }

    /// Sockets speak go-micro's encoding, also between our own peers.
    #[allow(dead_code, reason = "not every test needs it")]
    pub(crate) fn in_envelopes(mut self) -> Self {
        self.encoding = Encoding::GoMicro;
        self
    }

    async fn connect(&self) -> Arc<Connection> {
        connect(&self.address).await
    }

    async fn transport(&self, address: &str) -> Arc<dyn Transport> {
        let transport = NatsTransport::new(connect(address).await);
        let transport = transport.with_max_message_size(MAX_MESSAGE);
        Arc::new(transport.with_encoding(self.encoding))
    }
}

async fn connect(address: &str) -> Arc<Connection> {
    let config = PluginConfig::default().with_addresses(address);
    Connection::open(&config).await.expect("a connection")
}

#[async_trait]
impl World<dyn Transport> for NatsWorld {
    async fn open(&self) -> Arc<dyn Transport> {
        self.transport(&self.address).await
    }

    fn faults(&self) -> Option<&dyn Faults> {
        Some(self)
    }
}

#[async_trait]
impl Faults for NatsWorld {
    async fn open_lossy(&self) -> (Arc<dyn Transport>, Loss) {
        let proxy = LossyProxy::start(&self.address).await;
        let transport = self.transport(proxy.address()).await;
        (transport, Box::new(move || proxy.lose_one()))
    }

    async fn start_peer(&self) -> Box<dyn Peer> {
        Box::new(Process::start(&self.address, self.encoding).await)
    }

    async fn restart(&self) {
        let mut server = self.server.lock().await;
        server.kill().await;
        server.restart().await;
    }
}

#[async_trait]
impl World<dyn Broker> for NatsWorld {
    async fn open(&self) -> Arc<dyn Broker> {
        Arc::new(NatsBroker::new(self.connect().await))
    }
}

#[async_trait]
impl World<dyn Registry> for NatsWorld {
    async fn open(&self) -> Arc<dyn Registry> {
        // The defaults suit a network. On a machine that runs every test at once, answers may take longer.
        let options = RegistryOptions::default()
            .with_query_limit(Duration::from_secs(1))
            .with_quiet(Duration::from_millis(100));
        Arc::new(NatsRegistry::new(self.connect().await, options))
    }
}
