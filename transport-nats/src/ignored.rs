//! What came and was not handed on, by cause.

use std::sync::atomic::{AtomicU64, Ordering};

use micro_core::observe::{self, Loss};

/// How much of what came to a transport's listeners and sockets was ignored or refused, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ignored {
    /// Messages without a reply subject: nobody to answer to.
    pub unaddressed: u64,
    /// Not to be read as a message.
    pub undecodable: u64,
    /// They would have opened a socket beyond the limit, or beyond the listener's backlog.
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

/// How often one cause was met.
#[derive(Debug)]
pub(crate) struct Counter {
    count: AtomicU64,
    cause: &'static str,
    loss: Loss,
}

#[derive(Debug)]
pub(crate) struct Counters {
    pub(crate) unaddressed: Counter,
    pub(crate) undecodable: Counter,
    pub(crate) refused: Counter,
    pub(crate) stale: Counter,
    pub(crate) malformed: Counter,
    pub(crate) out_of_order: Counter,
    pub(crate) excessive: Counter,
    pub(crate) newer: Counter,
}

impl Default for Counters {
    fn default() -> Self {
        let counter = |cause, loss| Counter {
            count: AtomicU64::new(0),
            cause,
            loss,
        };
        Counters {
            unaddressed: counter("unaddressed", Loss::Undecodable),
            undecodable: counter("undecodable", Loss::Undecodable),
            refused: counter("refused", Loss::Shed),
            stale: counter("stale", Loss::Late),
            malformed: counter("malformed", Loss::Undecodable),
            out_of_order: counter("out_of_order", Loss::Undecodable),
            excessive: counter("excessive", Loss::Oversize),
            newer: counter("newer", Loss::Undecodable),
        }
    }
}

impl Counters {
    pub(crate) fn count(counter: &Counter) {
        counter.count.fetch_add(1, Ordering::Relaxed);
        observe::ignored("transport-nats", counter.cause, counter.loss);
    }

    pub(crate) fn read(&self) -> Ignored {
        let read = |counter: &Counter| counter.count.load(Ordering::Relaxed);
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
