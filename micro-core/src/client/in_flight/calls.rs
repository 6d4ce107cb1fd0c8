//! The state of the calls of one socket, and how it changes.

use std::collections::{HashMap, VecDeque};
use std::task::Waker;

use tokio::time::Instant;

use super::driver::Driver;
use super::owed::Owed;
use super::writing::Work;
use super::{ENOUGH, PARTS};
use crate::by_id::ById;
use crate::message::Message;
use crate::rpc::{Response, Status};

#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) entries: HashMap<u64, Entry, ById>,
    /// How many entries wait for an answer.
    pub(super) waiting: usize,
    /// Calls that were not sent yet, oldest first. Some may have no entry any more.
    pub(super) queue: VecDeque<u64>,
    /// Calls whose caller went away after they were sent, and whom the peer is to be told of.
    pub(super) gone: VecDeque<u64>,
    /// Those of a go-micro server; it is not told, and may still answer them.
    pub(super) owed: Option<Owed>,
    /// How many messages were sent on the socket.
    pub(super) sent: u64,
    /// How many messages came from it.
    pub(super) heard: u64,
    /// No call waits beyond this without the driver looking for it.
    pub(super) due: Option<Instant>,
    /// Whether a ping is to be sent.
    pub(super) ping: bool,
    pub(super) used: bool,
    pub(super) end: End,
    pub(super) driver: Driver,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) progress: Progress,
    pub(super) caller: Waker,
    pub(super) deadline: Option<Instant>,
}

#[derive(Debug)]
pub(super) enum Progress {
    Queued(Message),
    /// Which message of the socket it was.
    Sent(u64),
    Done(Result<Response, Status>),
}

/// Whether calls are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    #[default]
    No,
    /// Nobody had called for a while; what is to be said last is sent.
    Retired,
    Ended,
}

impl Calls {
    pub(super) fn admit(&self, limit: usize) -> Result<(), Status> {
        if self.end != End::No {
            return Err(Status::unavailable("the socket has ended").never_delivered());
        }
        if self.entries.len() >= limit {
            let message = format!("{limit} calls are in flight to this node, and that is the limit");
            return Err(Status::resource_exhausted(message).never_delivered());
        }
        Ok(())
    }

    /// Notes a deadline; whether none was as early.
    pub(super) fn falls_due(&mut self, deadline: Option<Instant>) -> bool {
        let earliest = deadline.is_some_and(|deadline| self.due.is_none_or(|due| deadline < due));
        if earliest {
            self.due = deadline;
        }
        earliest
    }

    /// The answer of a call that has one, which removes it.
    pub(super) fn answer(&mut self, id: u64) -> Result<Response, Status> {
        match self.entries.remove(&id).map(|entry| entry.progress) {
            Some(Progress::Done(answer)) => answer,
            // No entry goes away before its caller does.
            _ => Err(Status::internal("the call is not known")),
        }
    }

    /// How many of those that wait are sent, or answered, at a time.
    pub(super) fn part(&self) -> usize {
        ENOUGH.max(self.waiting / PARTS)
    }

    pub(super) fn has_enough(&self) -> bool {
        self.queue.len() >= self.part()
    }

    pub(super) fn has_work(&self) -> bool {
        self.ping || self.end == End::Retired || !self.queue.is_empty() || !self.gone.is_empty()
    }

    /// What to send next.
    pub(super) fn next_work(&mut self) -> Option<Work> {
        while let Some(id) = self.queue.pop_front() {
            if let Some(message) = self.send(id) {
                return Some(Work::Call(id, message));
            }
        }
        if let Some(id) = self.gone.pop_front() {
            return Some(Work::Cancel(id));
        }
        std::mem::take(&mut self.ping).then_some(Work::Ping)
    }

    /// Notes that a call is being sent; `None` when its caller has gone away, or its time is over.
    pub(super) fn send(&mut self, id: u64) -> Option<Message> {
        let entry = self.entries.get_mut(&id)?;
        let sent = Progress::Sent(self.sent + 1);
        match std::mem::replace(&mut entry.progress, sent) {
            Progress::Queued(message) => {
                self.sent += 1;
                Some(message)
            }
            other => {
                entry.progress = other;
                None
            }
        }
    }

    /// Ends a call; `None` when it has ended, or its caller went away.
    pub(super) fn finish(&mut self, id: u64, answer: Result<Response, Status>) -> Option<Waker> {
        let entry = self.entries.get_mut(&id)?;
        if matches!(entry.progress, Progress::Done(_)) {
            return None;
        }
        entry.progress = Progress::Done(answer);
        self.waiting -= 1;
        Some(std::mem::replace(&mut entry.caller, Waker::noop().clone()))
    }

    pub(super) fn time_out(&mut self, id: u64) -> Option<Waker> {
        if let Progress::Sent(_) = self.entries.get(&id)?.progress {
            self.give_up(id);
        }
        let status = Status::deadline_exceeded("the deadline passed before an answer came");
        self.finish(id, Err(status))
    }

    /// Nobody waits any more for a call that was sent.
    pub(super) fn give_up(&mut self, id: u64) {
        match &mut self.owed {
            Some(owed) => owed.add(id),
            None => self.gone.push_back(id),
        }
    }

    /// Keeps the queue from growing with the ids of callers that have gone away before they were sent.
    pub(super) fn tidy(&mut self) {
        if self.queue.len() > 2 * self.entries.len() + 64 {
            self.queue.retain(|id| self.entries.contains_key(id));
        }
    }

    /// Whom an answer without an id is for: go-micro leaves it out of some failures. It can only be told when a single
    /// call can be meant.
    pub(super) fn only(&self) -> Option<u64> {
        if self.waiting != 1 || self.owed.as_ref().is_some_and(|owed| !owed.is_empty()) {
            return None;
        }
        let is_sent = |entry: &Entry| matches!(entry.progress, Progress::Sent(_));
        self.entries
            .iter()
            .find(|(_, entry)| is_sent(entry))
            .map(|(id, _)| *id)
    }
}
