//! How calls went lately.

use std::time::Duration;

use tokio::time::Instant;

const SLOTS: usize = 10;

/// Counts of the last while, of which a tenth is forgotten at a time.
#[derive(Debug)]
pub(super) struct Window {
    began: Instant,
    slot: Duration,
    /// Which slot was counted in last, since the window began.
    last: u64,
    counts: [Count; SLOTS],
}

/// How many calls there were, and how many of them spoke ill of their peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) calls: u64,
    pub(super) failures: u64,
}

impl Window {
    pub(super) fn new(length: Duration, now: Instant) -> Self {
        Window {
            began: now,
            slot: (length / SLOTS as u32).max(Duration::from_millis(1)),
            last: 0,
            counts: [Count::default(); SLOTS],
        }
    }

    /// Counts one more, and adds up what is not forgotten.
    pub(super) fn add(&mut self, failed: bool, now: Instant) -> Count {
        self.forget(now);
        let slot = &mut self.counts[(self.last % SLOTS as u64) as usize];
        slot.calls += 1;
        slot.failures += u64::from(failed);
        self.sum()
    }

    /// Whether nothing has been counted lately.
    pub(super) fn is_quiet(&mut self, now: Instant) -> bool {
        self.forget(now);
        self.sum().calls == 0
    }

    fn forget(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.began).as_nanos() / self.slot.as_nanos();
        let slot = u64::try_from(passed).unwrap_or(u64::MAX);
        for stale in (self.last + 1..=slot).take(SLOTS) {
            self.counts[(stale % SLOTS as u64) as usize] = Count::default();
        }
        self.last = slot.max(self.last);
    }

    fn sum(&self) -> Count {
        self.counts.iter().fold(Count::default(), |sum, slot| Count {
            calls: sum.calls + slot.calls,
            failures: sum.failures + slot.failures,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_older_than_the_window_is_forgotten() {
        let mut window = Window::new(Duration::from_secs(10), Instant::now());
        let both = Count {
            calls: 2,
            failures: 1,
        };
        window.add(true, Instant::now());
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(window.add(false, Instant::now()), both);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(
            window.add(false, Instant::now()),
            Count {
                calls: 2,
                failures: 0
            }
        );
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert!(window.is_quiet(Instant::now()));
        assert_eq!(
            window.add(true, Instant::now()),
            Count {
                calls: 1,
                failures: 1
            }
        );
    }
}
