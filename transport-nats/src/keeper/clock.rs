//! The time, as a keeper counts it, and when what is due.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The time, in ticks, and when what is due.
#[derive(Debug)]
pub(crate) struct Clock {
    now: AtomicU32,
    pub(super) ask_after: u32,
    pub(super) ask_every: u32,
    pub(super) give_up_after: u32,
}

impl Clock {
    /// A clock by which a silent peer is given up within this limit, of at least three seconds.
    pub(crate) fn new(limit: Duration) -> Arc<Self> {
        let limit = u32::try_from(limit.as_secs()).unwrap_or(u32::MAX).max(3);
        // A tick is lost between two looks.
        let (give_up_after, ask_after) = (limit - 1, limit / 3);
        Arc::new(Clock {
            now: AtomicU32::new(0),
            ask_after,
            ask_every: ((give_up_after - ask_after - 1) / 2).max(1),
            give_up_after,
        })
    }

    pub(super) fn tick(&self) {
        self.now.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> u32 {
        self.now.load(Ordering::Relaxed)
    }
}
