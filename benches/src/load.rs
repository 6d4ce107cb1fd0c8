//! One side of a comparison, and the load that is put on it.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::future::{BoxFuture, FutureExt};
use tokio::task::JoinSet;

/// Something that can be measured, again and again.
pub(crate) trait Side: Send + Sync {
    /// Works for about this long.
    fn round(&self, window: Duration) -> BoxFuture<'_, Result<Sample>>;
}

/// What one round gave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// How many calls, or events, were done.
    pub(crate) count: usize,
    /// In how long.
    pub(crate) elapsed: Duration,
    /// How long the middle one took, where one can be told from others.
    pub(crate) p50: Option<Duration>,
}

impl Sample {
    /// Of how long each took, in nanoseconds.
    pub(crate) fn new(mut spans: Vec<u32>, elapsed: Duration) -> Result<Self> {
        ensure!(!spans.is_empty(), "nothing was done within the round");
        let middle = spans.len() / 2;
        let (_, p50, _) = spans.select_nth_unstable(middle);
        Ok(Sample {
            p50: Some(Duration::from_nanos(u64::from(*p50))),
            count: spans.len(),
            elapsed,
        })
    }

    /// How many in a second.
    pub(crate) fn rate(&self) -> f64 {
        self.count as f64 / self.elapsed.as_secs_f64()
    }
}

/// One way to set a side up, ready to work.
pub(crate) struct Setup {
    /// Such as `2 connections`.
    pub(crate) name: String,
    pub(crate) side: Arc<dyn Side>,
    /// Where it works, when that is not this process.
    pub(crate) process: Option<u32>,
    /// Whether its ends share nothing, and were placed by [`where_services_are`](crate::threads::where_services_are).
    pub(crate) apart: bool,
    /// What must not be dropped before the last round: servers, tasks.
    _keep: Box<dyn Any + Send + Sync>,
}

impl Setup {
    pub(crate) fn new(name: &str, side: impl Side + 'static, keep: impl Any + Send + Sync) -> Self {
        Setup {
            name: name.to_owned(),
            side: Arc::new(side),
            process: None,
            apart: false,
            _keep: Box::new(keep),
        }
    }

    /// The same, known by what is added to its name, and worked with through what `wrap` makes of it.
    pub(crate) fn through(mut self, added: &str, wrap: impl FnOnce(Arc<dyn Side>) -> Arc<dyn Side>) -> Self {
        self.name.push_str(added);
        self.side = wrap(self.side);
        self
    }

    /// Says whether its ends can be on threads of their own, as two processes are.
    pub(crate) fn with_ends_apart(self, apart: bool) -> Self {
        Setup { apart, ..self }
    }

    /// Counts the processor time of another process for it.
    pub(crate) fn in_process(mut self, process: Option<u32>) -> Self {
        self.process = process;
        self
    }
}

/// Callers as tasks, each of which makes one call after the other.
pub(crate) struct Callers<F> {
    count: usize,
    call: F,
    worth: usize,
}

impl<F, Fut> Callers<F>
where
    F: Fn(u64) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    /// `call` is given a number that no other call in flight has; its upper half is that of the caller.
    pub(crate) fn new(count: usize, call: F) -> Self {
        let worth = 1;
        Callers { count, call, worth }
    }

    /// Counts each call as so many of the case's unit.
    pub(crate) fn each_worth(self, worth: usize) -> Self {
        Callers { worth, ..self }
    }

    async fn work(&self, window: Duration) -> Result<Sample> {
        let start = Instant::now();
        let mut callers = JoinSet::new();
        for number in 0..self.count {
            callers.spawn(caller(self.call.clone(), number as u64, start + window));
        }
        let mut spans = Vec::new();
        while let Some(done) = callers.join_next().await {
            spans.append(&mut done??);
        }
        let sample = Sample::new(spans, start.elapsed())?;
        Ok(Sample {
            count: sample.count * self.worth,
            ..sample
        })
    }
}

impl<F, Fut> Side for Callers<F>
where
    F: Fn(u64) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    fn round(&self, window: Duration) -> BoxFuture<'_, Result<Sample>> {
        self.work(window).boxed()
    }
}

/// Calls until the end, and once at least; one clock reading serves as the end of a call and the start of the next.
async fn caller<F, Fut>(call: F, number: u64, end: Instant) -> Result<Vec<u32>>
where
    F: Fn(u64) -> Fut,
    Fut: Future<Output = Result<()>>,
{
    let mut spans = Vec::with_capacity(4096);
    let mut id = number << 32;
    let mut before = Instant::now();
    loop {
        call(id).await?;
        let now = Instant::now();
        spans.push(nanos(now - before));
        if now >= end {
            return Ok(spans);
        }
        (before, id) = (now, id + 1);
    }
}

/// Up to 4.29 s, which is longer than any round should wait.
pub(crate) fn nanos(span: Duration) -> u32 {
    u32::try_from(span.as_nanos()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_caller_works_and_every_call_counts() {
        let callers = Callers::new(3, |_| async {
            tokio::task::yield_now().await;
            Ok(())
        });
        let sample = callers.round(Duration::from_millis(5)).await.unwrap();
        assert!(sample.count >= 3, "{sample:?}");
        assert!(sample.elapsed >= Duration::from_millis(5));
    }

    #[tokio::test]
    async fn a_failed_call_ends_the_round() {
        let callers = Callers::new(2, |_| async { anyhow::bail!("no") });
        assert!(callers.round(Duration::from_millis(5)).await.is_err());
    }

    #[test]
    fn the_p50_is_the_middle() {
        let sample = Sample::new(vec![9, 1, 5], Duration::from_secs(1)).unwrap();
        assert_eq!(sample.p50, Some(Duration::from_nanos(5)));
        assert_eq!(sample.rate(), 3.0);
    }
}
