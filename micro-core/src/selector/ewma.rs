//! The least loaded node by in-flight calls and latency: peak EWMA with the power of two choices.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::selector::spread::two;
use crate::selector::{Candidates, Strategy, Target};

/// Over what time a measurement loses its weight (to 1/e).
const DECAY: Duration = Duration::from_secs(10);

/// Of two nodes taken at random, the one whose answer is expected first: peak EWMA with the power of two choices, as
/// Finagle has it.
///
/// What a node is expected to take is the exponentially weighted moving average of how long its answers took, times
/// the calls that this process has on their way to it, and one. The average jumps up to a peak at once, and comes down
/// over 10 s. So a node that falls behind loses its load at the first slow answer, and gets it back bit by bit. One of
/// which nothing is known gets one call, and more when that was answered.
///
/// Unary calls are measured; streams count as calls on their way.
#[derive(Clone, Copy, Debug, Default)]
pub struct PeakEwma;

impl Strategy for PeakEwma {
    fn pick<'a>(&self, candidates: &Candidates<'a, '_>) -> Option<&'a Arc<Target>> {
        let (a, b) = two(candidates)?;
        if Arc::ptr_eq(a, b) {
            return Some(a);
        }
        let now = Instant::now();
        Some(if cost(b, now) < cost(a, now) { b } else { a })
    }

    fn measures(&self) -> bool {
        true
    }
}

/// In what unit does not matter: costs are compared.
fn cost(target: &Target, now: Instant) -> f64 {
    let calls = target.in_flight() as f64;
    match target.latency_at(now) {
        Some(latency) => latency.as_secs_f64() * (calls + 1.0),
        None if calls == 0.0 => 0.0,
        // More than any that was measured, until its first answer.
        None => f64::MAX / 2.0,
    }
}

/// A moving average that jumps to peaks.
#[derive(Debug, Default)]
pub(super) struct Ewma(Option<(f64, Instant)>);

impl Ewma {
    pub(super) fn observe(&mut self, now: Instant, took: Duration) {
        let took = took.as_secs_f64();
        let average = match self.0 {
            Some((average, at)) if took < average => {
                let weight = weight(now, at);
                average * weight + took * (1.0 - weight)
            }
            _ => took,
        };
        self.0 = Some((average, now));
    }

    /// What it has come down to by now, so that a node that got no calls is tried again.
    pub(super) fn at(&self, now: Instant) -> Option<Duration> {
        let (average, at) = self.0?;
        Some(Duration::from_secs_f64(average * weight(now, at)))
    }
}

fn weight(now: Instant, at: Instant) -> f64 {
    let age = now.saturating_duration_since(at);
    (-age.as_secs_f64() / DECAY.as_secs_f64()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selector::target::tests::targets;

    const MS: Duration = Duration::from_millis(1);

    fn shares(targets: &[Arc<Target>]) -> Vec<usize> {
        let mut shares = vec![0; targets.len()];
        for _ in 0..100 {
            let picked = PeakEwma.pick(&Candidates::new(targets)).unwrap();
            shares[picked.node().id.parse::<usize>().unwrap()] += 1;
        }
        shares
    }

    #[tokio::test(start_paused = true)]
    async fn the_slow_node_loses_its_calls_and_gets_them_back() {
        let targets = targets(2);
        targets.iter().for_each(|target| target.observe(MS));
        targets[0].observe(100 * MS);
        assert_eq!(shares(&targets), [0, 100]);
        // Only the other one is called, and measured, meanwhile.
        tokio::time::advance(DECAY * 6).await;
        targets[1].observe(MS);
        assert_eq!(shares(&targets), [100, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_on_their_way_count_as_much_as_latency() {
        let targets = targets(2);
        targets[0].observe(10 * MS);
        targets[1].observe(21 * MS);
        let _one = targets[0].enter();
        assert_eq!(shares(&targets), [100, 0]);
        let _two = targets[0].enter();
        assert_eq!(shares(&targets), [0, 100]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_node_gets_one_call_first() {
        let targets = targets(2);
        targets[0].observe(MS);
        assert_eq!(shares(&targets), [0, 100]);
        let _first = targets[1].enter();
        assert_eq!(shares(&targets), [100, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peak_counts_at_once_and_fades() {
        let mut ewma = Ewma::default();
        let start = Instant::now();
        assert!(ewma.at(start).is_none());
        ewma.observe(start, MS);
        ewma.observe(start, 50 * MS);
        assert_eq!(ewma.at(start), Some(50 * MS));
        ewma.observe(start + DECAY, MS);
        let faded = ewma.at(start + DECAY).unwrap();
        assert!(faded > 18 * MS && faded < 20 * MS, "{faded:?}");
    }
}
