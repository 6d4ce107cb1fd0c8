//! Where one end of a socket stands: what waits to be read, and how each direction ends.

use std::borrow::Cow;
use std::collections::VecDeque;

use bytes::Bytes;
use micro_core::{Error, ErrorKind};

#[cfg(test)]
mod tests;

/// How many messages wait for a slow reader.
pub(crate) const QUEUE_MESSAGES: usize = 65_536;

/// How many bytes of them.
pub(crate) const QUEUE_BYTES: usize = 64 << 20;

/// One end of a socket. Every change is a method; who reads and who sends asks before it waits.
#[derive(Debug)]
pub(crate) struct State {
    queue: VecDeque<Bytes>,
    queued_bytes: usize,
    receiving: Receiving,
    refused: Option<Failure>,
    /// How many messages of ours the server could hand to nobody.
    no_responders: usize,
    /// Whether anything came after the first of these.
    heard_since: bool,
    /// How many messages of ours the peer left unread.
    unread: usize,
    /// The listener has left its address; its answers still come.
    leaving: bool,
    /// Nothing can come any more, although the peer has not said so.
    deaf: bool,
    /// Something may have been lost, in either direction.
    failed: bool,
}

/// What may still come.
#[derive(Debug)]
enum Receiving {
    /// Anything.
    Open,
    /// The peer said that nothing more comes, after it had left its address: what the server could hand to nobody
    /// is still to be counted.
    Departed,
    /// Nobody is there any more: what reached nobody is still to be counted.
    Unreachable,
    /// Nothing, and the reader has not been told why.
    Failed(Failure),
    /// Nothing.
    Over,
    /// The reader left.
    Abandoned,
}

/// Why something ended.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    kind: ErrorKind,
    text: Cow<'static, str>,
}

impl Failure {
    pub(crate) fn new(kind: ErrorKind, text: impl Into<Cow<'static, str>>) -> Self {
        Failure {
            kind,
            text: text.into(),
        }
    }

    pub(crate) fn error(&self) -> Error {
        Error::new(self.kind, self.text.clone())
    }
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
        State {
            queue: VecDeque::new(),
            queued_bytes: 0,
            receiving: Receiving::Open,
            refused: None,
            no_responders: 0,
            heard_since: false,
            unread: 0,
            leaving: false,
            deaf: false,
            failed: false,
        }
    }

    /// Something came.
    pub(crate) fn push(&mut self, payload: Bytes) -> Pushed {
        match self.receiving {
            Receiving::Abandoned | Receiving::Failed(_) => return Pushed::Ignored,
            Receiving::Over => return Pushed::Over(payload),
            // The listener is gone, but what it answered before may come after the word of that.
            Receiving::Open | Receiving::Departed | Receiving::Unreachable => {}
        }
        if self.queue.len() >= QUEUE_MESSAGES || self.queued_bytes + payload.len() > QUEUE_BYTES {
            let lagged =
                "this reader fell too far behind (65,536 messages or 64 MiB waited): the socket was given up";
            self.fail(Failure::new(ErrorKind::Lagged(1), lagged));
            return Pushed::Overflow;
        }
        self.heard_since |= self.no_responders > 0;
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
        match std::mem::replace(&mut self.receiving, Receiving::Over) {
            Receiving::Failed(failure) => Next::Error(failure.error()),
            Receiving::Over => self.last_word(),
            waiting => {
                let next = match waiting {
                    Receiving::Departed | Receiving::Unreachable => Next::Settle,
                    _ => Next::Wait,
                };
                self.receiving = waiting;
                next
            }
        }
    }

    fn last_word(&mut self) -> Next {
        match std::mem::take(&mut self.unread) {
            0 => Next::End,
            unread => Next::Error(
                Error::new(ErrorKind::Unavailable, "the peer left messages unread").with_undelivered(unread),
            ),
        }
    }

    /// What reached nobody has been counted; `sure` when nobody can have come back meanwhile.
    pub(crate) fn settled(&mut self, sure: bool) -> Next {
        let reached_nobody = self.no_responders > 0;
        let undelivered = self.undelivered(sure);
        let departed = matches!(self.receiving, Receiving::Departed);
        self.receiving = if self.leaving && !departed {
            Receiving::Open
        } else {
            Receiving::Over
        };
        (self.no_responders, self.unread) = (0, 0);
        if departed && !reached_nobody && undelivered == 0 {
            return Next::End;
        }
        let error = Error::new(ErrorKind::Unavailable, "nobody listens there any more");
        Next::Error(error.with_undelivered(undelivered))
    }

    /// The last messages sent are those that the peer left unread, and then those that reached nobody.
    fn undelivered(&self, sure: bool) -> usize {
        match self.no_responders {
            0 => self.unread,
            reached_nobody if sure => self.unread + reached_nobody,
            _ => 0,
        }
    }

    /// The peer says that nothing more comes.
    pub(crate) fn finished(&mut self) {
        match self.receiving {
            Receiving::Open if !self.leaving => self.receiving = Receiving::Over,
            Receiving::Open | Receiving::Unreachable => self.receiving = Receiving::Departed,
            _ => {}
        }
    }

    /// The peer reads no more.
    pub(crate) fn stopped(&mut self, unread: usize) {
        self.unread = unread;
        self.refuse(Failure::new(ErrorKind::Closed, "the peer has closed the socket"));
    }

    /// The server could not hand on a message of ours.
    pub(crate) fn reached_nobody(&mut self) {
        self.no_responders += 1;
        self.gone();
    }

    /// Nobody is there any more.
    pub(crate) fn gone(&mut self) {
        self.refuse(Failure::new(
            ErrorKind::Unavailable,
            "nobody listens there any more",
        ));
        if matches!(self.receiving, Receiving::Open) {
            self.receiving = Receiving::Unreachable;
        }
    }

    /// The listener leaves its address.
    pub(crate) fn left(&mut self) {
        self.leaving = true;
        self.refuse(Failure::new(
            ErrorKind::Unavailable,
            "the listener is leaving its address",
        ));
    }

    /// Nothing goes any more, in either direction.
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.failed = true;
        if !matches!(self.receiving, Receiving::Over | Receiving::Abandoned) {
            self.receiving = Receiving::Failed(failure.clone());
        }
        self.refuse(failure);
    }

    /// Nothing more can be sent, because of this.
    fn refuse(&mut self, failure: Failure) {
        self.refused.get_or_insert(failure);
    }

    /// Nothing more can come, and the peer has not said so.
    pub(crate) fn deafen(&mut self) {
        self.deaf = true;
        if matches!(self.receiving, Receiving::Open) {
            self.receiving = Receiving::Over;
        }
    }

    /// The reader leaves: how many messages it leaves unread, if more could have come.
    pub(crate) fn abandon(&mut self) -> Option<usize> {
        let unread = self.queue.len();
        let open = matches!(self.receiving, Receiving::Open);
        self.queue = VecDeque::new();
        self.queued_bytes = 0;
        self.receiving = Receiving::Abandoned;
        (open || unread > 0).then_some(unread)
    }

    /// Why nothing can be sent, if so.
    pub(crate) fn refusal(&self) -> Option<Error> {
        self.refused.as_ref().map(Failure::error)
    }

    /// Whether anything can still happen on this end.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.receiving, Receiving::Open) || self.refused.is_none()
    }

    /// Whether something may have been lost, so that the end of this socket is none that was wanted.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Whether nothing can come any more, although the peer has not said so.
    pub(crate) fn is_deaf(&self) -> bool {
        self.deaf
    }

    /// Whether anything came after the first message that reached nobody.
    pub(crate) fn has_heard_since(&self) -> bool {
        self.heard_since
    }

    /// Whether the listener has left its address.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving
    }
}
