//! Keeps a service in the registry, and takes it out at the end.

use std::sync::Arc;
use std::time::Duration;

use micro_core::registry::RegisterOptions;
use micro_core::{Error, ErrorKind, Registry, Result, ServiceRecord};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::health::Vitals;

const PART: &str = "registration";

/// How soon a failed refresh is tried again; twice that after the next failure, up to the interval.
const FIRST_RETRY: Duration = Duration::from_millis(500);

/// How long leaving the registry may take.
const LEAVE_LIMIT: Duration = Duration::from_secs(5);

/// A registration: a task that refreshes it, and deregisters when it is told to stop, or this is dropped.
pub(super) struct Registration {
    stop: DropGuard,
    task: JoinHandle<Result<()>>,
}

/// What is registered, where, and how often.
pub(super) struct Entry {
    pub(super) registry: Arc<dyn Registry>,
    pub(super) record: ServiceRecord,
    pub(super) ttl: Duration,
    pub(super) interval: Duration,
}

impl Registration {
    /// Registers, and keeps registered.
    ///
    /// # Cancel safety
    /// Dropping the future takes back what was begun.
    pub(super) async fn begin(entry: Entry, vitals: Arc<Vitals>) -> Result<Self> {
        let stop = CancellationToken::new();
        let (registered, begun) = oneshot::channel();
        let registration = Registration {
            task: tokio::spawn(keep(entry, vitals, stop.clone(), registered)),
            stop: stop.drop_guard(),
        };
        match begun.await {
            Ok(()) => Ok(registration),
            // The task has ended, and knows why.
            Err(_) => registration
                .end()
                .await
                .and_then(|()| Err(Error::new(ErrorKind::Internal, "the registration has ended"))),
        }
    }

    /// Leaves the registry.
    pub(super) async fn end(self) -> Result<()> {
        drop(self.stop);
        self.task.await.unwrap_or_else(|error| {
            Err(Error::new(ErrorKind::Internal, "the registration's task failed").with_source(error))
        })
    }
}

/// Registers, refreshes until told to stop, and then deregisters.
///
/// All of it here, so that a service, or a start, that is dropped need neither wait nor have a runtime at hand.
async fn keep(
    entry: Entry,
    vitals: Arc<Vitals>,
    stop: CancellationToken,
    registered: oneshot::Sender<()>,
) -> Result<()> {
    match stop.run_until_cancelled(entry.register()).await {
        Some(Ok(())) => {}
        Some(Err(error)) => return Err(error),
        // It was given up in the middle, and may have been announced.
        None => return entry.deregister().await,
    }
    // Who does not wait any more has dropped what stops this.
    let _ = registered.send(());
    let refresh = async {
        let mut pause = Pause::new(entry.interval);
        loop {
            sleep(pause.length).await;
            pause.after(entry.refresh(&vitals).await);
        }
    };
    stop.run_until_cancelled(refresh).await;
    entry.deregister().await
}

/// The time between two refreshes.
struct Pause {
    length: Duration,
    retry: Duration,
    interval: Duration,
}

impl Pause {
    fn new(interval: Duration) -> Self {
        Pause {
            length: interval,
            retry: FIRST_RETRY,
            interval,
        }
    }

    fn after(&mut self, refreshed: bool) {
        if refreshed {
            *self = Pause::new(self.interval);
        } else {
            self.length = self.retry.min(self.interval);
            self.retry = self.retry.saturating_mul(2);
        }
    }
}

impl Entry {
    async fn register(&self) -> Result<()> {
        let options = RegisterOptions::default().with_ttl(self.ttl);
        let register = self.registry.register(&self.record, options);
        within(self.ttl, "register", register).await
    }

    async fn refresh(&self, vitals: &Vitals) -> bool {
        let service = &self.record.name;
        match self.register().await {
            Ok(()) => {
                if vitals.recovered(PART) {
                    tracing::info!(%service, "the registration is refreshed again");
                }
                true
            }
            Err(error) => {
                tracing::warn!(%service, %error, "the registration could not be refreshed");
                vitals.note(
                    PART,
                    format_args!("the registration could not be refreshed: {error}"),
                );
                false
            }
        }
    }

    async fn deregister(&self) -> Result<()> {
        within(LEAVE_LIMIT, "deregister", self.registry.deregister(&self.record)).await
    }
}

async fn within(
    limit: Duration,
    operation: &'static str,
    work: impl Future<Output = Result<()>>,
) -> Result<()> {
    timeout(limit, work).await.unwrap_or_else(|_| {
        Err(Error::new(
            ErrorKind::Timeout,
            format!("the registry did not answer within {limit:?}"),
        )
        .with_operation(operation))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_refresh_is_tried_again_sooner_and_ever_later() {
        let mut pause = Pause::new(Duration::from_secs(2));
        let mut lengths = Vec::new();
        for refreshed in [false, false, false, false, true] {
            pause.after(refreshed);
            lengths.push(pause.length.as_millis());
        }
        assert_eq!(lengths, [500, 1000, 2000, 2000, 2000]);
    }
}
