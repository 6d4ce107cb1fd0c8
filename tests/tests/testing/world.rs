//! The hosts of a testbed, for each clause: what the kit puts in front of backends is a backend itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use micro::Backends;
use micro::testing::Testbed;
use micro_conformance::World;
use micro_core::{Broker, Registry, Transport};

/// A testbed in which nothing goes wrong. Each instance is on a host of its own.
pub(crate) struct TestbedWorld {
    bed: Testbed,
    hosts: AtomicU64,
}

impl TestbedWorld {
    pub(crate) fn new(bed: Testbed) -> Self {
        TestbedWorld {
            bed,
            hosts: AtomicU64::new(0),
        }
    }

    async fn backends(&self) -> Backends {
        let number = self.hosts.fetch_add(1, Ordering::Relaxed);
        let host = self.bed.host(&format!("host-{number}"));
        host.backends().await.expect("backends")
    }
}

#[async_trait]
impl World<dyn Transport> for TestbedWorld {
    async fn open(&self) -> Arc<dyn Transport> {
        self.backends().await.transport().clone()
    }
}

#[async_trait]
impl World<dyn Broker> for TestbedWorld {
    async fn open(&self) -> Arc<dyn Broker> {
        self.backends().await.broker().clone()
    }
}

#[async_trait]
impl World<dyn Registry> for TestbedWorld {
    async fn open(&self) -> Arc<dyn Registry> {
        self.backends().await.registry().clone()
    }
}
