//! What the work of a subscription came to, in numbers and in the log.

use micro_core::observe::{self, Loss};
use micro_core::{Error, ErrorKind};
use tokio::task::JoinError;

use super::{Worker, add};
use crate::events::{EventFailure, Gaps};

impl Worker {
    /// Counts what became of an event whose handler has ended.
    pub(super) fn count(&self, done: Result<Result<(), EventFailure>, JoinError>) {
        let topic = self.subscription.topic();
        let counters = &self.shared.counters;
        let counter = match done {
            Ok(Ok(())) => &counters.handled,
            Ok(Err(EventFailure::Undecodable(error))) => {
                tracing::warn!(topic, %error, "an event could not be decoded");
                &counters.undecodable
            }
            Ok(Err(EventFailure::Failed(status))) => {
                tracing::warn!(topic, %status, "the handler of an event failed");
                &counters.failed
            }
            Ok(Err(EventFailure::Panicked(panic))) => {
                tracing::error!(topic, panic, "the handler of an event panicked");
                &counters.failed
            }
            Err(error) if error.is_cancelled() => &counters.cut,
            Err(error) => {
                tracing::error!(topic, %error, "the task of a handler failed");
                &counters.failed
            }
        };
        add(counter, 1);
    }

    /// Counts what the broker says was lost. The subscription has counted it for metrics.
    pub(super) fn note(&mut self, error: &Error) {
        let topic = self.subscription.topic();
        let counters = &self.shared.counters;
        match error.kind() {
            ErrorKind::Lagged(lost) => {
                tracing::warn!(topic, lost, "events were dropped: their handler is too slow");
                add(&counters.lost, lost);
                if let Some(gaps) = &mut self.gaps {
                    gaps.know(lost);
                }
            }
            ErrorKind::Malformed => {
                tracing::warn!(topic, %error, "an event could not be read");
                add(&counters.undecodable, 1);
                if let Some(gaps) = &mut self.gaps {
                    gaps.know(1);
                }
            }
            _ => {
                tracing::warn!(topic, %error, "events may be missing");
                add(&counters.gaps, 1);
            }
        }
    }

    /// Counts what publishers had sent, and did not come.
    pub(super) fn count_missed(&mut self, look: impl FnOnce(&mut Gaps) -> u64) {
        let missed = self.gaps.as_mut().map_or(0, look);
        if missed > 0 {
            let topic = self.subscription.topic();
            tracing::warn!(topic, missed, "events are missing that their publisher had sent");
            add(&self.shared.counters.missed, missed);
            self.subscription
                .ledger()
                .inspect(|ledger| ledger.note(Loss::Missed, missed));
        }
    }

    /// Counts that it was full, and left its queue group.
    pub(super) fn count_pauses(&mut self) {
        let topic = self.subscription.topic();
        let new = self.subscription.pauses() - self.pauses;
        self.pauses += new;
        tracing::warn!(topic, "a member of a queue group pauses: its handler is too slow");
        add(&self.shared.counters.pauses, new);
        observe::paused(topic, new);
    }
}
