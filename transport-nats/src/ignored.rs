//! What came and was not handed on, by cause.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many messages the listeners of a transport have ignored, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ignored {
    /// Without a reply subject: nobody to answer to.
    pub unaddressed: u64,
    /// Not to be read as a message.
    pub undecodable: u64,
    /// They would have opened a socket beyond the limit.
    pub refused: u64,
    /// For sockets that had ended; their diallers were told.
    pub stale: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) unaddressed: AtomicU64,
    pub(crate) undecodable: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) stale: AtomicU64,
}

impl Counters {
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Ignored {
        Ignored {
            unaddressed: self.unaddressed.load(Ordering::Relaxed),
            undecodable: self.undecodable.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            stale: self.stale.load(Ordering::Relaxed),
        }
    }
}
