//! What the registry knows, kept in memory and fed by a watch.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use tokio::sync::Mutex as AsyncMutex;
use tokio::task::AbortHandle;

use crate::error::{Error, ErrorKind, Result};
use crate::registry::{Registry, WatchOptions, Watcher};
use crate::selector::roster::{Roster, Targets};
use crate::selector::{OutlierDetection, Pick, Target, Verdict};

mod services;

use services::Services;

/// Nodes by service. The first question about a service goes to the registry; the watch keeps the answer fresh.
pub(crate) struct Cache(Arc<Core>);

struct Core {
    registry: Arc<dyn Registry>,
    services: Arc<Services>,
    watch: AsyncMutex<Option<Task>>,
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

    /// The nodes of a service, from memory where they are known.
    pub(crate) async fn targets(&self, service: &str) -> Result<Targets> {
        match self.known(service) {
            Some(targets) => Ok(targets),
            None => self.ask(service).await,
        }
    }

    /// The nodes of a service that may be called, if there are any in memory.
    pub(crate) fn known(&self, service: &str) -> Option<Targets> {
        let mut services = self.0.services.0.lock();
        let open = services.get_mut(service)?.confirmed()?.open();
        Some(open.clone()).filter(|targets| !targets.is_empty())
    }

    /// All nodes of a service that are in memory, also those that are set aside.
    pub(crate) fn all(&self, service: &str) -> Vec<Arc<Target>> {
        self.with_roster(service, |roster| roster.all())
            .unwrap_or_default()
    }

    /// Whether the caller is the one who tries a node that was set aside.
    pub(crate) fn begin_trial(&self, service: &str, target: &Target) -> bool {
        self.with_roster(service, |roster| roster.begin_trial(target)) == Some(true)
    }

    /// Takes in what the end of a call says of its node.
    pub(crate) fn judge(&self, service: &str, pick: &Pick, verdict: Verdict, how: &OutlierDetection) {
        self.with_roster(service, |roster| roster.judge(pick, verdict, how));
    }

    fn with_roster<T>(&self, service: &str, act: impl FnOnce(&mut Roster) -> T) -> Option<T> {
        let mut services = self.0.services.0.lock();
        services.get_mut(service)?.roster.as_mut().map(act)
    }

    /// The nodes of a service, from the registry.
    pub(crate) async fn refresh(&self, service: &str) -> Result<Targets> {
        self.ask(service).await
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
            Err(error) => self.services.unanswered(service).ok_or(error),
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

/// Applies changes until the watch ends. When some may be missing, all is asked anew.
async fn follow(mut watcher: Watcher, services: Arc<Services>) {
    loop {
        match watcher.recv().await {
            Ok(change) => services.apply(change),
            Err(error) => {
                tracing::debug!(%error, "changes of the registry may be missing; what is known is asked anew");
                services.interrupt();
                if error.kind() == crate::ErrorKind::Closed {
                    return;
                }
            }
        }
    }
}
