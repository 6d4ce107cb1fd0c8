//! How many attempts a client makes beyond the first of each call: a retry budget.

use std::sync::atomic::{AtomicU64, Ordering};

/// How much load retries and hedges may add: a token bucket, as in gRPC's retry throttling and the standard mode of the
/// AWS SDKs.
///
/// Each call that is answered well puts in a part of a token, up to the burst; each retry and each hedge takes one out.
/// So when everything fails, callers soon stop to add to it, and they add `ratio` of the load at most for long.
///
/// Going on to the next node when nobody is at the first, or it is stopping, costs nothing: it does no work twice, and a
/// call does so once for each node at most, which then gets no more calls. A node that is full costs a token, since it
/// has too much work already. (gRPC calls the former a transparent retry.)
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetryBudget {
    /// How many retries and hedges each call that is answered well allows. Default: 0.2.
    pub ratio: f64,
    /// How many may be made at once, and at first. Default: 500.
    pub burst: u32,
}

impl Default for RetryBudget {
    fn default() -> Self {
        RetryBudget {
            ratio: 0.2,
            burst: 500,
        }
    }
}

impl RetryBudget {
    /// This much for each call that is answered well, at most 1,000, and this many at once. With a burst of 0 nothing is
    /// made again that has its price.
    pub fn new(ratio: f64, burst: u32) -> Self {
        RetryBudget {
            ratio: ratio.clamp(0.0, 1_000.0),
            burst,
        }
    }
}

/// What is left of a budget, in thousandths.
#[derive(Debug)]
pub(crate) struct Bucket {
    held: AtomicU64,
    deposit: u64,
    capacity: u64,
}

const TOKEN: u64 = 1_000;

impl Bucket {
    pub(crate) fn new(budget: RetryBudget) -> Self {
        let capacity = u64::from(budget.burst) * TOKEN;
        Bucket {
            held: AtomicU64::new(capacity),
            deposit: (budget.ratio.clamp(0.0, 1_000.0) * TOKEN as f64).round() as u64,
            capacity,
        }
    }

    /// Notes a call that was answered well. While the bucket is full, which is so as a rule, that is one load.
    pub(crate) fn deposit(&self) {
        if self.held.load(Ordering::Relaxed) < self.capacity {
            let filled = |held: u64| Some((held + self.deposit).min(self.capacity));
            self.held
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, filled)
                .ok();
        }
    }

    /// Whether one more attempt may be made.
    pub(crate) fn withdraw(&self) -> bool {
        let taken = |held: u64| held.checked_sub(TOKEN);
        self.held
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_burst_is_there_at_first_and_never_exceeded() {
        let bucket = Bucket::new(RetryBudget::new(1.0, 3));
        (0..10).for_each(|_| bucket.deposit());
        let taken = (0..10).filter(|_| bucket.withdraw()).count();
        assert_eq!(taken, 3);
    }

    #[test]
    fn retries_are_a_share_of_the_calls_that_succeed() {
        let bucket = Bucket::new(RetryBudget::new(0.2, 10));
        while bucket.withdraw() {}
        let mut retries = 0;
        for _ in 0..1_000 {
            bucket.deposit();
            retries += usize::from(bucket.withdraw());
        }
        assert_eq!(retries, 200);
    }

    #[test]
    fn without_a_burst_there_is_nothing() {
        let bucket = Bucket::new(RetryBudget::new(1.0, 0));
        bucket.deposit();
        assert!(!bucket.withdraw());
    }
}
