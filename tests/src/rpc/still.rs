//! A registry that answers what it is asked, and tells of no change.

use std::sync::Arc;

use async_trait::async_trait;
use micro_core::registry::{RegisterOptions, WatchOptions};
use micro_core::{Registry, Result, ServiceRecord, Watcher};

/// As the registry within, but for watchers, which see nothing: so a client's knowledge is as old as a clause needs.
#[derive(Debug)]
pub(super) struct Still(pub(super) Arc<dyn Registry>);

#[async_trait]
impl Registry for Still {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    async fn register(&self, service: &ServiceRecord, options: RegisterOptions) -> Result<()> {
        self.0.register(service, options).await
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

    async fn watch(&self, _: WatchOptions) -> Result<Watcher> {
        Ok(Watcher::new(futures::stream::pending()))
    }
}
