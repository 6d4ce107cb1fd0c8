//! What the registry knows, kept in memory and fed by a watch.

use std::collections::HashMap;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use parking_lot::Mutex;
use tokio::sync::Mutex as AsyncMutex;
use tokio::task::AbortHandle;

use crate::error::{Error, ErrorKind, Result};
use crate::registry::{Action, Change, Node, Registry, ServiceRecord, WatchOptions, Watcher};
use crate::selector::Target;

type Targets = Arc<[Arc<Target>]>;

/// Nodes by service. The first question about a service goes to the registry; the watch keeps the answer fresh.
pub(crate) struct Cache(Arc<Core>);

struct Core {
    registry: Arc<dyn Registry>,
    services: Arc<Services>,
    watch: AsyncMutex<Option<Task>>,
}

#[derive(Default)]
struct Services(Mutex<HashMap<String, Entry>>);

#[derive(Default)]
struct Entry {
    targets: Option<Targets>,
    /// What the watch saw while the registry was being asked: the answer may be older. Empty otherwise.
    missed: Vec<Change>,
    /// Present while the registry is asked, so that many callers ask once.
    asking: Option<Asking>,
}

/// A question to the registry, which goes on when those who wait for it go away: a caller with little time still
/// leaves an answer for the next.
type Asking = Shared<BoxFuture<'static, Result<Targets, Arc<Error>>>>;

/// A task that ends with its handle.
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Questions that nobody waits for any more end.
impl Drop for Cache {
    fn drop(&mut self) {
        let services = std::mem::take(&mut *self.0.services.0.lock());
        drop(services);
    }
}

impl Cache {
    pub(crate) fn new(registry: Arc<dyn Registry>) -> Self {
        Cache(Arc::new(Core {
            registry,
            services: Arc::default(),
            watch: AsyncMutex::default(),
        }))
    }

    /// The nodes of a service, if they are known.
    pub(crate) fn known(&self, service: &str) -> Option<Targets> {
        self.0.services.known(service)
    }

    /// The nodes of a service, from memory where they are known.
    pub(crate) async fn targets(&self, service: &str) -> Result<Targets> {
        match self.0.services.known(service) {
            Some(targets) => Ok(targets),
            None => self.ask(service).await,
        }
    }

    /// The nodes of a service, from the registry.
    pub(crate) async fn refresh(&self, service: &str) -> Result<Targets> {
        self.ask(service).await
    }

    /// Forgets a node until the registry speaks of it again.
    pub(crate) fn remove(&self, service: &str, node: &Node) {
        if let Some(entry) = self.0.services.0.lock().get_mut(service) {
            let gone = |known: &Node| known.id == node.id && known.address == node.address;
            entry.edit(|targets| targets.retain(|target| !gone(target.node())));
        }
    }

    /// Asks, or waits with those who have asked.
    async fn ask(&self, service: &str) -> Result<Targets> {
        let asking = {
            let mut services = self.0.services.0.lock();
            let entry = services.entry(service.to_owned()).or_default();
            entry
                .asking
                .get_or_insert_with(|| begin(self.0.clone(), service.to_owned()))
                .clone()
        };
        asking.await.map_err(|error| copy(&error))
    }
}

fn begin(core: Arc<Core>, service: String) -> Asking {
    let asking = tokio::spawn(async move { core.ask(&service).await });
    let task = Task(asking.abort_handle());
    let answer = async move {
        let _task = task;
        match asking.await {
            Ok(answer) => answer.map_err(Arc::new),
            Err(error) => Err(Arc::new(
                Error::new(ErrorKind::Internal, "the registry could not be asked").with_source(error),
            )),
        }
    };
    answer.boxed().shared()
}

/// Each of those who waited gets the error.
fn copy(error: &Arc<Error>) -> Error {
    Error::new(error.kind(), error.to_string()).with_source(error.clone())
}

impl Core {
    /// Watches first and asks then, so that no change falls between the two.
    async fn ask(&self, service: &str) -> Result<Targets> {
        let answer = match self.ensure_watch().await {
            Ok(()) => self.registry.get(service).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(records) => Ok(self.services.answered(service, records)),
            Err(error) => {
                self.services.0.lock().remove(service);
                Err(error)
            }
        }
    }

    async fn ensure_watch(&self) -> Result<()> {
        let mut watch = self.watch.lock().await;
        if watch.as_ref().is_none_or(|task| task.0.is_finished()) {
            let watcher = self.registry.watch(WatchOptions::default()).await?;
            let following = tokio::spawn(follow(watcher, self.services.clone()));
            *watch = Some(Task(following.abort_handle()));
        }
        Ok(())
    }
}

/// Applies changes until the watch ends. When some may be missing, all is forgotten and asked anew.
async fn follow(mut watcher: Watcher, services: Arc<Services>) {
    loop {
        match watcher.recv().await {
            Ok(change) => services.apply(change),
            Err(error) => {
                tracing::debug!(%error, "changes of the registry may be missing; what is known is asked anew");
                services.0.lock().clear();
                if error.kind() == crate::ErrorKind::Closed {
                    return;
                }
            }
        }
    }
}

impl Services {
    fn known(&self, service: &str) -> Option<Targets> {
        let services = self.0.lock();
        services
            .get(service)?
            .targets
            .clone()
            .filter(|targets| !targets.is_empty())
    }

    /// Takes in an answer of the registry, and then what the watch saw meanwhile.
    fn answered(&self, service: &str, records: Vec<ServiceRecord>) -> Targets {
        let mut services = self.0.lock();
        let entry = services.entry(service.to_owned()).or_default();
        entry.asking = None;
        entry.edit(|known| *known = targets(records, known));
        for change in std::mem::take(&mut entry.missed) {
            entry.apply(change);
        }
        entry.targets.clone().unwrap_or_default()
    }

    /// Applies a change to a service that is known; one that nobody has asked for stays unknown.
    fn apply(&self, change: Change) {
        let mut services = self.0.lock();
        if let Some(entry) = services.get_mut(&change.service.name) {
            if entry.asking.is_some() {
                entry.missed.push(change.clone());
            }
            if entry.targets.is_some() {
                entry.apply(change);
            }
        }
    }
}

impl Entry {
    fn apply(&mut self, change: Change) {
        let Change { action, service } = change;
        self.edit(|known| match action {
            Action::Delete => {
                known.retain(|target| !service.nodes.iter().any(|node| node.id == target.node().id));
            }
            Action::Create | Action::Update => {
                let fresh = targets([service], known);
                known.retain(|target| !fresh.iter().any(|new| new.node().id == target.node().id));
                known.extend(fresh);
            }
        });
    }

    fn edit(&mut self, change: impl FnOnce(&mut Vec<Arc<Target>>)) {
        let mut targets = self.targets.as_deref().unwrap_or_default().to_vec();
        change(&mut targets);
        self.targets = Some(targets.into());
    }
}

/// Targets for the nodes that can be dialled. What is counted and measured of a node that is known stays.
fn targets(records: impl IntoIterator<Item = ServiceRecord>, known: &[Arc<Target>]) -> Vec<Arc<Target>> {
    let of_record = |record: ServiceRecord| {
        let version = record.version;
        let nodes = record.nodes.into_iter();
        nodes.filter_map(move |node| target(&version, node, known))
    };
    records.into_iter().flat_map(of_record).collect()
}

fn target(version: &str, node: Node, known: &[Arc<Target>]) -> Option<Arc<Target>> {
    let is_it = |target: &&Arc<Target>| target.node().id == node.id && target.node().address == node.address;
    let before = known.iter().find(is_it);
    if let Some(before) = before
        && *before.node() == node
        && before.version() == version
    {
        return Some(before.clone());
    }
    match Target::new(node) {
        Ok(target) => {
            let target = target.with_version(version);
            Some(Arc::new(match before {
                Some(before) => target.in_place_of(before),
                None => target,
            }))
        }
        Err(error) => {
            tracing::debug!(%error, "a node with an unusable address was passed over");
            None
        }
    }
}
