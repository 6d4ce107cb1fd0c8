//! Runs a service until it is told to stop, and stops it without losing what it has taken on.

use std::pin::pin;
use std::time::Duration;

use micro_core::{Broker, Error, ErrorKind, Result};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::Service;
use super::builder::ServiceBuilder;
use super::health::Phase;
use super::signals::Signals;
use super::start::Events;

/// How long the broker may take to take what was published.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// How long a second signal waits until what it cut has been told to callers.
const TELL_LIMIT: Duration = Duration::from_secs(3);

/// What a stop found in flight, and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Requests that were running when the stop began, and finished. Those before are in the metric `rpc.server.calls`.
    pub requests_drained: usize,
    /// Requests that were cut because the limit passed; their callers were told.
    pub requests_cut: usize,
    /// Events that were delivered, and were cut because the limit passed.
    pub events_cut: u64,
}

impl ServiceBuilder {
    /// Starts, serves until Ctrl-C or SIGTERM, and stops as [`Service::shutdown`] does.
    ///
    /// A second signal ends the wait for what is in flight: it is cut, and callers are told. A third ends that, too.
    ///
    /// # Errors
    /// As [`start`](ServiceBuilder::start) and [`Service::run`].
    ///
    /// # Cancel safety
    /// Dropping the future drops the service.
    pub async fn run(self) -> Result<()> {
        let mut signals = Signals::new()?;
        let service = tokio::select! {
            service = self.start() => service?,
            () = signals.next() => return Ok(()),
        };
        service.run_by(&mut signals).await.map(drop)
    }
}

impl Service {
    /// Serves until Ctrl-C or SIGTERM, and then stops as [`shutdown`](Service::shutdown) does.
    ///
    /// A second signal ends the wait for what is in flight: it is cut, and callers are told. A third ends that, too.
    ///
    /// # Errors
    /// As [`shutdown`](Service::shutdown); [`Closed`](crate::ErrorKind::Closed) after a second signal that cut something,
    /// or that could not be told of in 3 s.
    ///
    /// # Cancel safety
    /// Dropping the future drops the service.
    pub async fn run(self) -> Result<Report> {
        self.run_by(&mut Signals::new()?).await
    }

    async fn run_by(self, signals: &mut Signals) -> Result<Report> {
        signals.next().await;
        let cut = CancellationToken::new();
        let mut stop = pin!(self.stop(cut.clone()));
        tokio::select! {
            report = &mut stop => return report,
            () = signals.next() => cut.cancel(),
        }
        // Callers are told, and that has to go out before the process ends.
        let stopped = tokio::select! {
            stopped = timeout(TELL_LIMIT, stop) => stopped.ok(),
            () = signals.next() => None,
        };
        match stopped {
            // There was nothing to be cut.
            Some(Ok(report)) if report.requests_cut == 0 && report.events_cut == 0 => Ok(report),
            Some(Err(error)) => Err(error),
            _ => Err(Error::closed("a second signal cut what was in flight")),
        }
    }

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
    /// Whoever calls it meanwhile is refused in a way that makes the caller try another node. Backends that do not
    /// answer can make it last 10 s longer than the limit.
    ///
    /// # Errors
    /// What a backend met while it was left; all else is done nevertheless, and logged.
    ///
    /// # Cancel safety
    /// Dropping the future cuts what still runs.
    pub async fn shutdown(self) -> Result<Report> {
        self.stop(CancellationToken::new()).await
    }

    /// The same; `hurry` ends the wait for what is in flight before the limit does.
    async fn stop(self, hurry: CancellationToken) -> Result<Report> {
        let Service {
            registration,
            events,
            server,
            vitals,
            backends,
            record,
            limit,
        } = self;
        vitals.enter(Phase::Draining);
        let service = &record.name;
        let running = server.in_flight();
        tracing::info!(%service, in_flight = running, "stopping");
        // First, so that callers choose other nodes before this one refuses them.
        let deregistered = hurry.run_until_cancelled(registration.end()).await;
        let over = async || drop(timeout(limit, hurry.cancelled()).await);
        let (events_cut, shutdown) = tokio::join!(events.drain(over()), server.shutdown_until(over()));
        // Last, since handlers publish.
        let flushed = flush(&**backends.broker()).await;
        let (finished, requests_cut) = shutdown
            .as_ref()
            .map_or((0, 0), |report| (report.finished, report.cut));
        let report = Report {
            // The server counts from when it is told, and some may have finished while the registry was left.
            requests_drained: finished.max(running.saturating_sub(requests_cut)),
            requests_cut,
            events_cut,
        };
        if deregistered.is_none() {
            tracing::warn!(%service, "a second signal came while the registry was left, which may still have it for a while");
        }
        let results = [deregistered.unwrap_or(Ok(())), shutdown.map(drop), flushed];
        tell(service, &report, &results);
        results.into_iter().collect::<Result<()>>().map(|()| report)
    }
}

async fn flush(broker: &dyn Broker) -> Result<()> {
    let late = || Error::new(ErrorKind::Timeout, "the broker took too long").with_operation("flush");
    timeout(FLUSH_LIMIT, broker.flush())
        .await
        .unwrap_or_else(|_| Err(late()))
}

fn tell(service: &str, report: &Report, results: &[Result<()>]) {
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        tracing::warn!(%service, %error, "a part did not stop well");
    }
    let Report {
        requests_drained,
        requests_cut,
        events_cut,
    } = *report;
    if requests_cut > 0 || events_cut > 0 {
        tracing::warn!(%service, requests_drained, requests_cut, events_cut, "stopped, and cut what took too long");
    } else {
        tracing::info!(%service, requests_drained, "stopped");
    }
}

impl Events {
    /// Finishes what was delivered, until it is cut. How many events were.
    async fn drain(mut self, cut: impl Future<Output = ()>) -> u64 {
        self.shared.drain.cancel();
        let finished = async { while self.workers.join_next().await.is_some() {} };
        let in_time = tokio::select! {
            biased;
            () = finished => true,
            () = cut => false,
        };
        if !in_time {
            self.shared.cut.cancel();
            while self.workers.join_next().await.is_some() {}
        }
        self.shared.counters.read().cut
    }
}
