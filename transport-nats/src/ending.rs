//! How the two directions of a socket end, and what its reader is then told.

use micro_core::{Error, ErrorKind};

mod answer;
mod failure;

pub(crate) use answer::{Entry, Step};
pub(crate) use failure::Failure;

/// How far a socket is from its end. Every change is a method; who reads and who sends asks before it waits.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    receiving: Receiving,
    refused: Option<Failure>,
    /// Whether the server could hand something of ours to nobody.
    nobody: bool,
    /// How many messages that were.
    unreached: usize,
    /// Whether anything came after the first of these.
    heard_since: bool,
    /// How many messages of ours the peer left unread.
    unread: usize,
    /// How many messages never left this process.
    unsent: usize,
    /// The listener has left its address; its answers still come.
    leaving: bool,
    /// Nothing can come any more, although the peer has not said so.
    deaf: bool,
    /// Something may have been lost, in either direction.
    failed: bool,
    /// The peer said that nothing more comes, and that it reads nothing more.
    said: (bool, bool),
}

/// What may still come.
#[derive(Debug, Default)]
enum Receiving {
    /// Anything.
    #[default]
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

impl Ending {
    /// What becomes of a message that comes now.
    pub(crate) fn entry(&mut self) -> Entry {
        match self.receiving {
            Receiving::Abandoned | Receiving::Failed(_) => Entry::Ignored,
            Receiving::Over => Entry::Over,
            // The listener is gone, but what it answered before may come after the word of that.
            Receiving::Open | Receiving::Departed | Receiving::Unreachable => {
                self.heard_since |= self.nobody;
                Entry::Open
            }
        }
    }

    /// What a reader finds now, when nothing waits.
    pub(crate) fn step(&mut self) -> Step {
        match std::mem::replace(&mut self.receiving, Receiving::Over) {
            Receiving::Failed(failure) => Step::Error(failure.error()),
            Receiving::Over => self.last_word(),
            waiting => {
                let step = match waiting {
                    Receiving::Departed | Receiving::Unreachable => Step::Settle,
                    _ => Step::Wait,
                };
                self.receiving = waiting;
                step
            }
        }
    }

    fn last_word(&mut self) -> Step {
        match std::mem::take(&mut self.unread) + std::mem::take(&mut self.unsent) {
            0 => Step::End,
            unread => Step::Error(
                Error::new(ErrorKind::Unavailable, "the peer left messages unread").with_undelivered(unread),
            ),
        }
    }

    /// What reached nobody has been counted; `sure` when nobody can have come back meanwhile.
    pub(crate) fn settled(&mut self, sure: bool) -> Step {
        let undelivered = self.undelivered(sure);
        let departed = matches!(self.receiving, Receiving::Departed);
        let nobody = std::mem::take(&mut self.nobody);
        self.receiving = if self.leaving && !departed {
            Receiving::Open
        } else {
            Receiving::Over
        };
        (self.unreached, self.unread, self.unsent) = (0, 0, 0);
        if departed && !nobody && undelivered == 0 {
            return Step::End;
        }
        let error = Error::new(ErrorKind::Unavailable, "nobody listens there any more");
        Step::Error(error.with_undelivered(undelivered))
    }

    /// The last messages sent are those that the peer left unread, then those that reached nobody, and then those
    /// that were not sent.
    fn undelivered(&self, sure: bool) -> usize {
        match self.nobody {
            true if !sure => self.unsent,
            _ => self.unread + self.unreached + self.unsent,
        }
    }

    /// The peer says that nothing more comes.
    pub(crate) fn finished(&mut self) {
        self.said.0 = true;
        match self.receiving {
            Receiving::Open if !self.leaving => self.receiving = Receiving::Over,
            Receiving::Open | Receiving::Unreachable => self.receiving = Receiving::Departed,
            _ => {}
        }
    }

    /// The peer reads no more, and has left so many messages unread.
    pub(crate) fn stopped(&mut self, unread: usize) {
        self.said.1 = true;
        self.unread = unread;
        self.refuse(Failure::new(ErrorKind::Closed, "the peer has closed the socket"));
    }

    /// The server could not hand on what had so many messages of ours.
    pub(crate) fn reached_nobody(&mut self, messages: usize) {
        self.nobody = true;
        self.unreached += messages;
        self.gone();
    }

    /// So many messages were taken and never sent.
    pub(crate) fn not_sent(&mut self, messages: usize) {
        self.unsent += messages;
    }

    /// How many messages are known to have reached nobody, by the server's word.
    pub(crate) fn unreached(&self) -> usize {
        self.unreached
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
        let refusal = failure.clone().with_undelivered(0);
        if !matches!(self.receiving, Receiving::Over | Receiving::Abandoned) {
            self.receiving = Receiving::Failed(failure);
        }
        self.refuse(refusal);
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

    /// The reader leaves; whether more could have come.
    pub(crate) fn abandon(&mut self) -> bool {
        let open = matches!(self.receiving, Receiving::Open);
        self.receiving = Receiving::Abandoned;
        open
    }

    /// Why nothing can be sent, if so.
    pub(crate) fn refusal(&self) -> Option<Error> {
        self.refused.as_ref().map(Failure::error)
    }

    /// Whether nothing can be sent.
    pub(crate) fn is_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// Whether anything can still happen on this end.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.receiving, Receiving::Open) || self.refused.is_none()
    }

    /// Whether something may have been lost, so that the end of this socket is none that was wanted.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Whether the peer has left, in both directions.
    pub(crate) fn has_peer_left(&self) -> bool {
        self.said == (true, true)
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
