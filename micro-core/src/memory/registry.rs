//! A table of nodes, shared by the instances of a world.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::{Stream, StreamExt, stream};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

use super::{NAME, Worlds};
use crate::error::{Error, ErrorKind, Result};
use crate::name;
use crate::queue;
use crate::registry::{Change, RegisterOptions, Registry, ServiceRecord, WatchOptions, Watcher};

mod table;

use table::Table;

/// It is what a second process meets that was started without flags.
const NOT_HERE: &str = "in this process, which is all that the memory registry sees; to reach others, \
                        choose a registry and a transport that do, such as --registry=nats --transport=nats";

static WORLDS: Worlds<Mutex<Table>> = Worlds::new();

/// A [`Registry`] inside one process.
///
/// Instances of one name see each other's nodes, and each answers for what was registered through it: that goes
/// when the last clone of the instance is dropped.
#[derive(Clone, Debug)]
pub struct MemoryRegistry(Arc<Instance>);

impl MemoryRegistry {
    /// A registry in a world of its own.
    pub fn new() -> Self {
        MemoryRegistry::within(Arc::default())
    }

    /// A registry in the world of that name.
    pub fn named(world: &str) -> Self {
        MemoryRegistry::within(WORLDS.open(world))
    }

    fn within(table: Arc<Mutex<Table>>) -> Self {
        let id = table.lock().next_id();
        MemoryRegistry(Arc::new(Instance { table, id }))
    }

    /// What has aged out is gone before anything else happens.
    fn with_table<T>(&self, act: impl FnOnce(&mut Table) -> T) -> T {
        let mut table = self.0.table.lock();
        table.age(Instant::now());
        act(&mut table)
    }
}

impl Default for MemoryRegistry {
    fn default() -> Self {
        MemoryRegistry::new()
    }
}

#[async_trait]
impl Registry for MemoryRegistry {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn register(&self, service: &ServiceRecord, options: RegisterOptions) -> Result<()> {
        service
            .check()
            .map_err(|error| error.with_operation("register"))?;
        let expires = expiry(options.ttl);
        self.with_table(|table| table.register(self.0.id, service, expires));
        Ok(())
    }

    async fn deregister(&self, service: &ServiceRecord) -> Result<()> {
        self.with_table(|table| table.deregister(self.0.id, service));
        Ok(())
    }

    async fn get(&self, name: &str) -> Result<Vec<ServiceRecord>> {
        name::check_service(name).map_err(|error| error.with_operation("get"))?;
        let found = self.with_table(|table| table.get(name));
        if found.is_empty() {
            let message = format!("nobody serves {name:?} {NOT_HERE}");
            return Err(Error::new(ErrorKind::NotFound, message).with_operation("get"));
        }
        Ok(found)
    }

    async fn list(&self) -> Result<Vec<ServiceRecord>> {
        Ok(self.with_table(|table| table.list()))
    }

    async fn watch(&self, options: WatchOptions) -> Result<Watcher> {
        if let Some(service) = &options.service {
            name::check_service(service).map_err(|error| error.with_operation("watch"))?;
        }
        let (sender, changes) = queue::bounded(options.capacity);
        let id = self.with_table(|table| table.watch(options.service.clone(), sender));
        let watch = Watch {
            table: self.0.table.clone(),
            id,
            service: options.service,
            changes,
        };
        Ok(Watcher::new(watch.into_stream()))
    }
}

/// When a node with this time to live ages out; never, when that lies beyond what a clock can say.
fn expiry(ttl: Duration) -> Option<Instant> {
    Instant::now().checked_add(ttl)
}

/// Whom nodes belong to.
#[derive(Debug)]
struct Instance {
    table: Arc<Mutex<Table>>,
    id: u64,
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.table.lock().disown(self.id);
    }
}

/// One watch. While it waits, it keeps the time for the nodes that it watches.
struct Watch {
    table: Arc<Mutex<Table>>,
    id: u64,
    service: Option<String>,
    changes: queue::Receiver<Change>,
}

impl Watch {
    fn into_stream(self) -> impl Stream<Item = Result<Change>> + Send {
        stream::unfold(self, async |mut watch| {
            let change = watch.next().await?;
            Some((change, watch))
        })
    }

    /// A node registered while this waits is a change that ends the wait, so its time is never overlooked.
    async fn next(&mut self) -> Option<Result<Change>> {
        loop {
            let expiry = self.table.lock().next_expiry(self.service.as_deref());
            let Some(expiry) = expiry else {
                return self.changes.next().await;
            };
            tokio::select! {
                biased;
                change = self.changes.next() => return change,
                () = sleep_until(expiry) => self.table.lock().age(Instant::now()),
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.table.lock().unwatch(self.id);
    }
}
