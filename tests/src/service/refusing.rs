//! A registry that takes nothing.

use std::sync::Arc;

use async_trait::async_trait;
use micro_core::registry::{RegisterOptions, WatchOptions};
use micro_core::{Error, ErrorKind, Registry, Result, ServiceRecord, Watcher};

/// As the registry within, but for registrations, which it refuses.
#[derive(Debug)]
pub(super) struct Refusing(pub(super) Arc<dyn Registry>);

#[async_trait]
impl Registry for Refusing {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    async fn register(&self, _: &ServiceRecord, _: RegisterOptions) -> Result<()> {
        Err(Error::new(ErrorKind::Unavailable, "it takes nothing"))
    }

    async fn deregister(&self, service: &ServiceRecord) -> Result<()> {
        self.0.deregister(service).await
    }

    async fn get(&self, name: &str) -> Result<Vec<ServiceRecord>> {
        self.0.get(name).await
    }

    async fn list(&self) -> Result<Vec<ServiceRecord>> {
        self.0.list().await
    }

    async fn watch(&self, options: WatchOptions) -> Result<Watcher> {
        self.0.watch(options).await
    }
}
