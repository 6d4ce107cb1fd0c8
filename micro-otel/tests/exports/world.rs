//! Where the services of a test find each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use micro::memory::{MemoryBroker, MemoryRegistry, MemoryTransport};
use micro::{PluginChoice, Service, ServiceBuilder};
use nats_testing::NatsServer;

/// The backends of one test.
pub(crate) enum World {
    Memory(String),
    Nats(Box<NatsServer>),
}

impl World {
    pub(crate) fn memory() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        World::Memory(format!("traces-{}", COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    pub(crate) async fn nats() -> Self {
        World::Nats(Box::new(NatsServer::start().await))
    }

    pub(crate) fn service(&self, name: &str) -> ServiceBuilder {
        let service = Service::builder(name);
        match self {
            World::Memory(world) => service
                .transport(Arc::new(MemoryTransport::named(world)))
                .broker(Arc::new(MemoryBroker::named(world)))
                .registry(Arc::new(MemoryRegistry::named(world))),
            World::Nats(server) => {
                let nats = PluginChoice::new("nats").with_addresses(&server.address());
                service
                    .transport_plugin(nats.clone())
                    .broker_plugin(nats.clone())
                    .registry_plugin(nats)
            }
        }
    }

    /// A service that serves nothing.
    pub(crate) async fn caller(&self) -> Service {
        self.service("caller").start().await.unwrap()
    }
}
