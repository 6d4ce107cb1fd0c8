//! Where one end of a socket in go-micro's encoding stands: what waits to be read, and how each direction ends.

use std::collections::VecDeque;

use bytes::Bytes;
use micro_core::{Error, ErrorKind};

use crate::ending::{Ending, Entry, Failure, Step};

#[cfg(test)]
mod tests;

/// How many messages wait for a slow reader.
pub(crate) const QUEUE_MESSAGES: usize = 65_536;

/// How many bytes of them.
pub(crate) const QUEUE_BYTES: usize = 64 << 20;

/// One end of a socket. Every change is a method; who reads and who sends asks before it waits.
#[derive(Debug, Default)]
pub(crate) struct State {
    queue: VecDeque<Bytes>,
    queued_bytes: usize,
    ending: Ending,
}

/// What the reader finds.
#[derive(Debug)]
pub(crate) enum Next {
    /// Something to read.
    Payload(Bytes),
    /// Nothing yet.
    Wait,
    /// Whoever knows how has to find out what reached nobody, and say [`State::settled`].
    Settle,
    /// The reason for an end.
    Error(Error),
    /// The end.
    End,
}

impl From<Step> for Next {
    fn from(step: Step) -> Self {
        match step {
            Step::Wait => Next::Wait,
            Step::Settle => Next::Settle,
            Step::Error(error) => Next::Error(error),
            Step::End => Next::End,
        }
    }
}

/// What became of a payload that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It waits to be read.
    Queued,
    /// Nobody reads any more.
    Ignored,
    /// It was one too many: the socket has ended.
    Overflow,
    /// The socket had ended, which a plain peer cannot know: here it is back.
    Over(Bytes),
}

impl State {
    pub(crate) fn new() -> Self {
        State::default()
    }

    /// Something came.
    pub(crate) fn push(&mut self, payload: Bytes) -> Pushed {
        match self.ending.entry() {
            Entry::Ignored => return Pushed::Ignored,
            Entry::Over => return Pushed::Over(payload),
            Entry::Open => {}
        }
        if self.queue.len() >= QUEUE_MESSAGES || self.queued_bytes + payload.len() > QUEUE_BYTES {
            let lagged =
                "this reader fell too far behind (65,536 messages or 64 MiB waited): the socket was given up";
            self.fail(Failure::new(ErrorKind::Lagged(1), lagged));
            return Pushed::Overflow;
        }
        self.queued_bytes += payload.len();
        self.queue.push_back(payload);
        Pushed::Queued
    }

    /// What the reader gets now. What waits comes before any end.
    pub(crate) fn next(&mut self) -> Next {
        if let Some(payload) = self.queue.pop_front() {
            self.queued_bytes -= payload.len();
            return Next::Payload(payload);
        }
        self.ending.step().into()
    }

    /// As [`Ending::settled`].
    pub(crate) fn settled(&mut self, sure: bool) -> Next {
        self.ending.settled(sure).into()
    }

    /// The peer says that nothing more comes.
    pub(crate) fn finished(&mut self) {
        self.ending.finished();
    }

    /// The peer reads no more.
    pub(crate) fn stopped(&mut self, unread: usize) {
        self.ending.stopped(unread);
    }

    /// The server could not hand on a message of ours.
    pub(crate) fn reached_nobody(&mut self) {
        self.ending.reached_nobody(1);
    }

    /// Nobody is there any more.
    pub(crate) fn gone(&mut self) {
        self.ending.gone();
    }

    /// The listener leaves its address.
    pub(crate) fn left(&mut self) {
        self.ending.left();
    }

    /// Nothing goes any more, in either direction.
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.ending.fail(failure);
    }

    /// Nothing more can come, and the peer has not said so.
    pub(crate) fn deafen(&mut self) {
        self.ending.deafen();
    }

    /// The reader leaves: how many messages it leaves unread, if more could have come.
    pub(crate) fn abandon(&mut self) -> Option<usize> {
        let unread = std::mem::take(&mut self.queue).len();
        self.queued_bytes = 0;
        let open = self.ending.abandon();
        (open || unread > 0).then_some(unread)
    }

    /// Why nothing can be sent, if so.
    pub(crate) fn refusal(&self) -> Option<Error> {
        self.ending.refusal()
    }

    /// Whether something may have been lost, so that the end of this socket is none that was wanted.
    pub(crate) fn has_failed(&self) -> bool {
        self.ending.has_failed()
    }

    /// How far it is from its end.
    pub(crate) fn ending(&self) -> &Ending {
        &self.ending
    }
}
