//! A world in memory for each clause.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use micro_conformance::World;
use micro_core::memory::{MemoryBroker, MemoryRegistry, MemoryTransport};
use micro_core::{Broker, Registry, Transport};

/// A world that no other clause knows the name of.
pub(crate) struct MemoryWorld {
    name: String,
    limit: Option<usize>,
}

impl MemoryWorld {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        MemoryWorld {
            name: format!("conformance-{number}"),
            limit: None,
        }
    }

    pub(crate) fn with_limit(bytes: usize) -> Self {
        MemoryWorld {
            limit: Some(bytes),
            ..MemoryWorld::new()
        }
    }
}

#[async_trait]
impl World<dyn Transport> for MemoryWorld {
    async fn open(&self) -> Arc<dyn Transport> {
        let transport = MemoryTransport::named(&self.name);
        match self.limit {
            Some(bytes) => Arc::new(transport.with_max_message_size(bytes)),
            None => Arc::new(transport),
        }
    }
}

#[async_trait]
impl World<dyn Broker> for MemoryWorld {
    async fn open(&self) -> Arc<dyn Broker> {
        let broker = MemoryBroker::named(&self.name);
        match self.limit {
            Some(bytes) => Arc::new(broker.with_max_message_size(bytes)),
            None => Arc::new(broker),
        }
    }
}

#[async_trait]
impl World<dyn Registry> for MemoryWorld {
    async fn open(&self) -> Arc<dyn Registry> {
        Arc::new(MemoryRegistry::named(&self.name))
    }
}
