//! The calls of one socket that wait for their answer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Poll, Waker};

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::message::Message;
use crate::rpc::frame::Dialect;
use crate::rpc::{Response, Status};

mod calls;
mod driver;
mod owed;
mod reading;
#[cfg(test)]
mod tests;
mod timing;
mod writing;

use calls::{Calls, End, Entry, Progress};
pub(crate) use writing::Work;

/// How many calls are sent at least without waiting for more that are about to be made.
const ENOUGH: usize = 16;

/// In how many parts those that wait are sent, and answers handed on, at most: while this end works on one, the other end
/// works on the other.
const PARTS: usize = 2;

/// What a caller finds.
#[derive(Debug)]
pub(crate) enum Found {
    Answer(Result<Response, Status>),
    /// No answer, and no other calls either.
    Nobody,
    /// No answer, and other calls.
    Others,
}

/// A table of calls by id. Callers add to it, and a caller that goes away takes its entry along; the driver of the socket
/// sends what they said, and completes.
#[derive(Debug)]
pub(crate) struct InFlight {
    calls: Mutex<Calls>,
    next_id: AtomicU64,
    limit: usize,
}

impl InFlight {
    /// An empty table for at most `limit` calls to such a server.
    pub(crate) fn new(dialect: Dialect, limit: usize) -> Self {
        let calls = Calls {
            owed: (!dialect.is_ours()).then(Default::default),
            ..Calls::default()
        };
        InFlight {
            calls: Mutex::new(calls),
            next_id: AtomicU64::new(0),
            limit,
        }
    }

    /// An id that no other call of this table has.
    pub(crate) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Adds a call, to be sent and to be answered by its deadline. The driver is told of it, unless there is nobody but its
    /// caller, who has to send it then: whether that is so.
    pub(crate) fn begin(
        &self,
        id: u64,
        message: Message,
        deadline: Option<Instant>,
        caller: &Waker,
    ) -> Result<bool, Status> {
        let mut calls = self.calls.lock();
        calls.admit(self.limit)?;
        let entry = Entry {
            progress: Progress::Queued(message),
            caller: caller.clone(),
            deadline,
        };
        calls.entries.insert(id, entry);
        calls.waiting += 1;
        calls.queue.push_back(id);
        calls.used = true;
        // Those who have been answered are about to call again: together they cost one wake of the driver, and one flush.
        let alone = !calls.falls_due(deadline) && calls.entries.len() == 1 && calls.driver.sleeps();
        if !alone {
            let driver = match calls.has_enough() {
                true => calls.driver.hurry(),
                false => calls.driver.rouse(),
            };
            drop(calls);
            driver.inspect(Waker::wake_by_ref);
        }
        Ok(alone)
    }

    /// Tells the driver that there is something for it.
    pub(crate) fn rouse(&self) {
        let driver = self.calls.lock().driver.rouse();
        driver.inspect(Waker::wake_by_ref);
    }

    /// The answer of a call, which ends it. Who is alone is not woken for it yet, but looks for it first.
    pub(crate) fn find(&self, id: u64, caller: &Waker) -> Found {
        let mut calls = self.calls.lock();
        let alone = calls.entries.len() == 1;
        match calls.entries.get_mut(&id) {
            Some(entry) if !matches!(entry.progress, Progress::Done(_)) => {
                if alone {
                    entry.caller.clone_from(Waker::noop());
                    return Found::Nobody;
                }
                entry.caller.clone_from(caller);
                Found::Others
            }
            _ => Found::Answer(calls.answer(id)),
        }
    }

    /// The answer of a call, which ends it.
    pub(crate) fn poll_answer(&self, id: u64, caller: &Waker) -> Poll<Result<Response, Status>> {
        let mut calls = self.calls.lock();
        match calls.entries.get_mut(&id) {
            Some(entry) if !matches!(entry.progress, Progress::Done(_)) => {
                entry.caller.clone_from(caller);
                return Poll::Pending;
            }
            _ => {}
        }
        Poll::Ready(calls.answer(id))
    }

    /// Removes a call whose caller goes away, and tells the driver if it was sent.
    pub(crate) fn leave(&self, id: u64) {
        let mut calls = self.calls.lock();
        let left = calls.entries.remove(&id);
        match left.as_ref().map(|entry| &entry.progress) {
            None | Some(Progress::Done(_)) => {}
            Some(Progress::Queued(_)) => {
                calls.waiting -= 1;
                calls.tidy();
            }
            Some(Progress::Sent(_)) => {
                calls.waiting -= 1;
                calls.give_up(id);
                let driver = calls.driver.rouse();
                drop(calls);
                driver.inspect(Waker::wake_by_ref);
            }
        }
    }

    /// How many answers are handed on before those who get them are let go on.
    pub(crate) fn part(&self) -> usize {
        self.calls.lock().part()
    }

    /// Whether so many calls are to be sent that no more are waited for.
    pub(crate) fn has_enough(&self) -> bool {
        self.calls.lock().has_enough()
    }

    /// How many calls have an entry.
    pub(crate) fn waiting(&self) -> usize {
        self.calls.lock().entries.len()
    }

    /// Whether a call made now would find the socket ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.calls.lock().end != End::No
    }

    /// Whether it ended because nobody had called for a while.
    pub(crate) fn has_retired(&self) -> bool {
        self.calls.lock().end == End::Retired
    }
}
