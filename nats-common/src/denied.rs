//! What the server has refused to let this connection publish.
//!
//! The server refuses by a word of its own, some time after the publish has returned. Whoever wants to know asks after a
//! fence: the word comes ahead of it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use micro_core::{Error, Result};
use parking_lot::Mutex;

use crate::connection::Connection;
use crate::consumer::Denial;
use crate::outbox;

/// How many subjects are remembered; the one whose refusal is the oldest gives way.
const REMEMBERED: usize = 256;

/// How many refusals somebody has been told of, or need not be: where [`Connection::settle`] begins.
#[derive(Debug)]
pub struct Told(AtomicU64);

/// The publishes that were refused, by subject.
#[derive(Debug, Default)]
pub(crate) struct Denied(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    count: u64,
    /// With the number of its last refusal, the latest last.
    subjects: VecDeque<(u64, Denial)>,
}

impl Denied {
    pub(crate) fn note(&self, denial: &Denial) {
        let mut known = self.0.lock();
        known.count += 1;
        known.subjects.retain(|(_, other)| other != denial);
        if known.subjects.len() == REMEMBERED {
            known.subjects.pop_front();
        }
        let number = known.count;
        known.subjects.push_back((number, denial.clone()));
    }

    fn count(&self) -> u64 {
        self.0.lock().count
    }

    /// The last refusal that is about such a subject, among those that were not told before. Now they are.
    fn tell(&self, told: &Told, concerns: impl Fn(&str) -> bool) -> Option<Error> {
        let known = self.0.lock();
        let before = told.0.swap(known.count, Ordering::AcqRel);
        let new = known
            .subjects
            .iter()
            .rev()
            .take_while(|(number, _)| *number > before);
        let mut new = new.filter(|(_, denial)| concerns(&denial.subject));
        new.next().map(|(_, denial)| denial.error())
    }
}

impl Connection {
    /// Refusals up to now need not be told.
    pub fn told(&self) -> Told {
        Told(AtomicU64::new(self.board().denied.count()))
    }

    /// Waits until the server has processed everything that was published before, and says whether it refused some of
    /// it on a subject that `concerns` the caller, unless that was `told` before. Costs two round trips.
    ///
    /// # Errors
    /// [`PermissionDenied`](micro_core::ErrorKind::PermissionDenied) that names the subject refused last; else as
    /// [`fence`](Connection::fence).
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn settle(&self, told: &Told, concerns: impl Fn(&str) -> bool) -> Result<()> {
        // A refusal comes in before the fence, but on another way through this process; the second gives it the time.
        for _ in 0..2 {
            outbox::fence(self.outbox()).await?;
            if let Some(error) = self.board().denied.tell(told, &concerns) {
                return Err(error);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::DeniedAction;

    fn denial(subject: &str) -> Denial {
        Denial {
            action: DeniedAction::Publish,
            subject: subject.to_owned(),
            queue: None,
        }
    }

    #[test]
    fn only_later_refusals_of_subjects_that_concern_count() {
        let denied = Denied::default();
        denied.note(&denial("a"));
        let told = || Told(AtomicU64::new(1));
        denied.note(&denial("b"));
        assert!(denied.tell(&told(), |subject| subject == "a").is_none());
        let told = told();
        let error = denied.tell(&told, |subject| subject == "b").unwrap();
        assert!(error.to_string().contains("\"b\""), "{error}");
        assert!(denied.tell(&told, |_| true).is_none(), "it was told twice");
    }

    #[test]
    fn a_subject_is_remembered_once_and_not_for_ever() {
        let denied = Denied::default();
        for number in 0..3 * REMEMBERED {
            denied.note(&denial("often"));
            denied.note(&denial(&number.to_string()));
        }
        assert_eq!(denied.0.lock().subjects.len(), REMEMBERED);
        let tells = |subject: &str| denied.tell(&Told(AtomicU64::new(0)), |known| known == subject);
        assert!(tells("often").is_some() && tells("0").is_none());
    }
}
