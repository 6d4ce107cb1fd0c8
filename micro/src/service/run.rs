//! Runs a service until it is told to stop, and stops it without losing what it has taken on.

use std::time::Duration;

use micro_core::{Error, Result};
use tokio::time::timeout;

use super::Service;
use super::builder::ServiceBuilder;
use super::health::Phase;
use super::signals::Signals;
use super::start::Events;

/// What a stop found in flight, and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Requests that were running when the stop began, and finished.
    pub requests_finished: usize,
    /// Requests that were cut because the limit passed; their callers were told.
    pub requests_cut: usize,
    /// Events that were delivered, and were cut because the limit passed.
    pub events_cut: u64,
}

impl ServiceBuilder {
    /// Starts, serves until Ctrl-C or SIGTERM, and stops as [`Service::shutdown`] does.
    ///
    /// A second signal ends the wait for what is in flight: it is cut.
    ///
    /// # Errors
    /// As [`start`](ServiceBuilder::start) and [`Service::shutdown`].
    ///
    /// # Cancel safety
    /// Dropping the future drops the service.
    pub async fn run(self) -> Result<()> {
        let mut signals = Signals::new()?;
        let service = tokio::select! {
            service = self.start() => service?,
            () = signals.next() => return Ok(()),
        };
        signals.next().await;
        tokio::select! {
            report = service.shutdown() => report.map(drop),
            () = signals.next() => {
                tracing::warn!("a second signal: what was in flight is cut");
                Ok(())
            }
        }
    }
}

impl Service {
    /// Serves until the future resolves, and then stops as [`shutdown`](Service::shutdown) does.
    ///
    /// # Errors
    /// As [`shutdown`](Service::shutdown).
    ///
    /// # Cancel safety
    /// Dropping the future drops the service.
    pub async fn run_until(self, until: impl Future<Output = ()>) -> Result<Report> {
        until.await;
        self.shutdown().await
    }

    /// Leaves the registry, finishes the requests and events in flight within the limit, and says what was cut.
    ///
    /// Whoever calls it meanwhile is refused in a way that makes the caller try another node.
    ///
    /// # Errors
    /// What a backend met while it was left; all else is done nevertheless, and logged.
    ///
    /// # Cancel safety
    /// Dropping the future cuts what still runs.
    pub async fn shutdown(self) -> Result<Report> {
        let Service {
            registration,
            events,
            server,
            vitals,
            record,
            limit,
            ..
        } = self;
        vitals.enter(Phase::Draining);
        let service = &record.name;
        tracing::info!(%service, in_flight = server.in_flight(), "stopping");
        // First, so that callers choose other nodes before this one refuses them.
        let deregistered = registration.end().await;
        let (events_cut, shutdown) = tokio::join!(events.drain(limit), server.shutdown(limit));
        let report = Report {
            requests_finished: shutdown.as_ref().map_or(0, |report| report.finished),
            requests_cut: shutdown.as_ref().map_or(0, |report| report.cut),
            events_cut,
        };
        tell(
            service,
            &report,
            [deregistered.as_ref().err(), shutdown.as_ref().err()],
        );
        deregistered.and(shutdown.map(drop)).map(|()| report)
    }
}

fn tell(service: &str, report: &Report, failures: [Option<&Error>; 2]) {
    for error in failures.into_iter().flatten() {
        tracing::warn!(%service, %error, "a part did not stop well");
    }
    let Report {
        requests_finished,
        requests_cut,
        events_cut,
    } = *report;
    if requests_cut > 0 || events_cut > 0 {
        tracing::warn!(%service, requests_finished, requests_cut, events_cut, "stopped, and cut what took too long");
    } else {
        tracing::info!(%service, requests_finished, "stopped");
    }
}

impl Events {
    /// Finishes what was delivered, within the limit. How many events were cut.
    async fn drain(mut self, limit: Duration) -> u64 {
        self.shared.drain.cancel();
        let finished = async { while self.workers.join_next().await.is_some() {} };
        if timeout(limit, finished).await.is_err() {
            self.shared.cut.cancel();
            while self.workers.join_next().await.is_some() {}
        }
        self.shared.counters.read().cut
    }
}
