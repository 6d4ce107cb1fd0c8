//! What lies beneath a testbed: memory, or a nats-server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use micro_core::memory::{MemoryBroker, MemoryRegistry, MemoryTransport};
use micro_core::{Broker, Registry, Result, Transport};

/// What the hosts of one testbed meet on.
#[derive(Debug)]
pub(super) enum Backing {
    Memory(Memory),
    #[cfg(feature = "nats")]
    Nats(nats::Nats),
}

/// What all backends of one host share, as those of a process do.
#[derive(Debug)]
pub(super) enum Line {
    Memory(String),
    #[cfg(feature = "nats")]
    Nats(Arc<nats_common::Connection>),
}

impl Backing {
    /// Connects one host.
    pub(super) async fn connect(&self, host: &str) -> Result<Line> {
        match self {
            Backing::Memory(memory) => Ok(memory.connect(host)),
            #[cfg(feature = "nats")]
            Backing::Nats(nats) => nats.connect(host).await.map(Line::Nats),
        }
    }
}

/// Each service and each client has instances of its own.
impl Line {
    pub(super) fn transport(&self) -> Arc<dyn Transport> {
        match self {
            Line::Memory(world) => Arc::new(MemoryTransport::named(world)),
            #[cfg(feature = "nats")]
            Line::Nats(connection) => nats::transport(connection),
        }
    }

    pub(super) fn broker(&self) -> Arc<dyn Broker> {
        match self {
            Line::Memory(world) => Arc::new(MemoryBroker::named(world)),
            #[cfg(feature = "nats")]
            Line::Nats(connection) => nats::broker(connection),
        }
    }

    pub(super) fn registry(&self) -> Arc<dyn Registry> {
        match self {
            Line::Memory(world) => Arc::new(MemoryRegistry::named(world)),
            #[cfg(feature = "nats")]
            Line::Nats(connection) => nats::registry(connection),
        }
    }
}

/// A world in memory that nobody else knows the name of.
#[derive(Debug)]
pub(super) struct Memory {
    world: String,
    /// Keep the world between two hosts.
    _kept: (MemoryTransport, MemoryBroker, MemoryRegistry),
}

impl Memory {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let world = format!("testbed-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let _kept = (
            MemoryTransport::named(&world),
            MemoryBroker::named(&world),
            MemoryRegistry::named(&world),
        );
        Memory { world, _kept }
    }

    fn connect(&self, _host: &str) -> Line {
        Line::Memory(self.world.clone())
    }
}

#[cfg(feature = "nats")]
pub(super) mod nats;
