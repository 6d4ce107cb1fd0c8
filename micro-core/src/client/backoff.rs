//! How long a client waits before it makes a call again that may have run.

use std::time::Duration;

/// Exponential backoff with full jitter: before the n-th retry a time between zero and `base` · 2ⁿ⁻¹, `max` at most,
/// each as likely as the next, so that callers who failed together do not come back together.
///
/// A call that would have to wait past its deadline ends at once, with what its last node said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backoff {
    /// The longest wait before the first retry. Default: 25 ms.
    pub base: Duration,
    /// The longest wait before any. Default: 1 s.
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff::new(Duration::from_millis(25), Duration::from_secs(1))
    }
}

impl Backoff {
    /// From this to that. Two zeros are no wait at all.
    pub fn new(base: Duration, max: Duration) -> Self {
        Backoff { base, max }
    }

    /// How long to wait when so many retries were made before.
    pub(crate) fn wait(&self, before: u32) -> Duration {
        self.longest(before).mul_f64(fastrand::f64())
    }

    fn longest(&self, before: u32) -> Duration {
        let factor = 1_u32.checked_shl(before).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_the_longest() {
        let backoff = Backoff::default();
        let longest: Vec<_> = (0..8).map(|before| backoff.longest(before).as_millis()).collect();
        assert_eq!(longest, [25, 50, 100, 200, 400, 800, 1000, 1000]);
        assert_eq!(backoff.longest(u32::MAX), backoff.max);
    }

    #[test]
    fn every_wait_up_to_the_longest_is_as_likely() {
        let backoff = Backoff::new(Duration::from_secs(8), Duration::from_secs(8));
        let mut counts = [0; 8];
        (0..8_000).for_each(|_| counts[backoff.wait(0).as_secs() as usize] += 1);
        // Five standard deviations of a fair die.
        assert!(
            counts.iter().all(|count| (850..=1150).contains(count)),
            "{counts:?}"
        );
    }
}
