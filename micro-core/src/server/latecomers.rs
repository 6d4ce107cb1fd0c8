//! Calls of go-micro peers to a server that is stopping.
//!
//! A peer of ours is refused then, and calls another node. go-micro does not: its call would fail because its process
//! had not heard yet that this node left the registry. So go-micro's calls are served until none has come for a while.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::rpc::frame::Dialect;

/// How long none of them called when no more are expected.
const QUIET: Duration = Duration::from_millis(250);

/// For how long they are served at most.
const MOST: Duration = Duration::from_secs(2);

/// When go-micro peers called.
#[derive(Debug)]
pub(super) struct Latecomers {
    began: Instant,
    /// In milliseconds since then, and one more; none called as long as it is 0.
    last: AtomicU64,
    refused: AtomicBool,
}

impl Latecomers {
    pub(super) fn new() -> Self {
        Latecomers {
            began: Instant::now(),
            last: AtomicU64::new(0),
            refused: AtomicBool::new(false),
        }
    }

    /// Notes a call; whether a server that is stopping serves it.
    pub(super) fn serves(&self, caller: Dialect) -> bool {
        if caller.is_ours() {
            return false;
        }
        let now = self.began.elapsed().as_millis() as u64 + 1;
        self.last.store(now, Ordering::Relaxed);
        !self.refused.load(Ordering::Acquire)
    }

    /// Waits until no more are expected, or [`MOST`] has passed, and refuses them from then on. Where none ever
    /// called, that is at once.
    ///
    /// # Cancel safety
    /// They are served on when the future is dropped.
    pub(super) async fn gone(&self) {
        let begun = Instant::now();
        while let Some(last) = self.last() {
            let quiet = last.max(begun) + QUIET;
            if quiet <= Instant::now() || begun + MOST <= Instant::now() {
                break;
            }
            sleep_until(quiet.min(begun + MOST)).await;
        }
        self.refused.store(true, Ordering::Release);
    }

    fn last(&self) -> Option<Instant> {
        let since = self.last.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.began + Duration::from_millis(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn time(latecomers: &Latecomers) -> Duration {
        let begun = Instant::now();
        latecomers.gone().await;
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn where_none_called_none_is_waited_for() {
        let latecomers = Latecomers::new();
        assert!(!latecomers.serves(Dialect::Ours));
        assert_eq!(time(&latecomers).await, Duration::ZERO);
        assert!(!latecomers.serves(Dialect::GoMicro));
    }

    #[tokio::test(start_paused = true)]
    async fn they_are_served_until_none_has_come_for_a_while() {
        let latecomers = Latecomers::new();
        assert!(latecomers.serves(Dialect::GoMicro));
        tokio::time::advance(QUIET * 3).await;
        let late = async {
            tokio::time::sleep(QUIET / 2).await;
            latecomers.serves(Dialect::GoMicro)
        };
        let (took, served) = tokio::join!(time(&latecomers), late);
        assert!(served);
        assert_eq!(took.as_millis(), (QUIET * 3 / 2).as_millis());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_calls_on_and_on_is_served_no_longer_than_that() {
        let latecomers = Latecomers::new();
        assert!(latecomers.serves(Dialect::GoMicro));
        let mut times = 0;
        let calling = async {
            while latecomers.serves(Dialect::GoMicro) {
                times += 1;
                tokio::time::sleep(QUIET / 5).await;
            }
        };
        let (took, ()) = tokio::join!(time(&latecomers), calling);
        assert_eq!(took, MOST);
        assert_eq!(times, 40);
    }
}
