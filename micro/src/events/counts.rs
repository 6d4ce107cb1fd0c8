//! What became of events, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

/// What became of the events that a service subscribed to. Each event is in exactly one count; `gaps` and `pauses`
/// count no events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventCounts {
    /// Their handler succeeded.
    pub handled: u64,
    /// Their handler answered an error, or panicked.
    pub failed: u64,
    /// They could not be decoded, so no handler ran.
    pub undecodable: u64,
    /// They were dropped because their handler was too slow.
    pub lost: u64,
    /// A stop cut them off: their handler was ended, or never began.
    pub cut: u64,
    /// How many times the connection was away for a while; an unknown number of events may be missing each time.
    pub gaps: u64,
    /// How many times a subscription has left its queue group for a while because too many events waited:
    /// [`Overflow::Pause`](micro_core::broker::Overflow::Pause).
    pub pauses: u64,
    /// Their publisher had sent them, by the numbers in its ids, and they did not come: noticed by a later event of the same
    /// publisher on the same topic, and counted a second after that. The last events of a publisher are not missed, since
    /// no later one tells of them. A publish that was dropped while it waited, or whose broker could not say that nothing was
    /// sent, may count, too. Not in queue groups, whose members get some of them each, and not of publishers on go-micro,
    /// who do not number theirs.
    pub missed: u64,
}

/// The counts, as the subscriptions of one service keep them.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) handled: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) undecodable: AtomicU64,
    pub(crate) lost: AtomicU64,
    pub(crate) cut: AtomicU64,
    pub(crate) gaps: AtomicU64,
    pub(crate) pauses: AtomicU64,
    pub(crate) missed: AtomicU64,
}

impl Counters {
    pub(crate) fn read(&self) -> EventCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        EventCounts {
            handled: read(&self.handled),
            failed: read(&self.failed),
            undecodable: read(&self.undecodable),
            lost: read(&self.lost),
            cut: read(&self.cut),
            gaps: read(&self.gaps),
            pauses: read(&self.pauses),
            missed: read(&self.missed),
        }
    }
}
