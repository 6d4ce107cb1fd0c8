//! What came and was not handed on, by cause.

use std::sync::atomic::{AtomicU64, Ordering};

/// How much of what came to a transport's listeners and sockets was ignored or refused, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ignored {
    /// Messages without a reply subject: nobody to answer to.
    pub unaddressed: u64,
    /// Not to be read as a message.
    pub undecodable: u64,
    /// They would have opened a socket beyond the limit.
    pub refused: u64,
    /// For sockets that had ended; their diallers were told.
    pub stale: u64,
    /// Packets that are not in the format. Each costs its socket, as the following do.
    pub malformed: u64,
    /// Packets before which others are missing, or that came before.
    pub out_of_order: u64,
    /// More than the socket had credit for, or a message above the limit.
    pub excessive: u64,
    /// Packets of a version that is not known here.
    pub newer: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) unaddressed: AtomicU64,
    pub(crate) undecodable: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) stale: AtomicU64,
    pub(crate) malformed: AtomicU64,
    pub(crate) out_of_order: AtomicU64,
    pub(crate) excessive: AtomicU64,
    pub(crate) newer: AtomicU64,
}

impl Counters {
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Ignored {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Ignored {
            unaddressed: read(&self.unaddressed),
            undecodable: read(&self.undecodable),
            refused: read(&self.refused),
            stale: read(&self.stale),
            malformed: read(&self.malformed),
            out_of_order: read(&self.out_of_order),
            excessive: read(&self.excessive),
            newer: read(&self.newer),
        }
    }
}
