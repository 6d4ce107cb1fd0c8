//! What a peer does that ends its socket, and nothing else.

use micro_core::ErrorKind;

use super::frame::Reason;
use crate::ending::Failure;
use crate::ignored::{Counter, Counters};

/// What the peer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breach {
    /// It sent what is not in the format.
    Malformed,
    /// Packets are missing before this one.
    Gap,
    /// This packet, or a later one, has come before.
    Repeated,
    /// It sent more than it was allowed.
    Overflow,
    /// It sent or announced a message above the limit.
    TooLarge,
    /// It speaks a version that is not known here.
    Version,
}

impl Breach {
    /// What the peer is told.
    pub(crate) fn reason(self) -> Reason {
        match self {
            Breach::Malformed => Reason::Malformed,
            Breach::Gap | Breach::Repeated => Reason::Lost,
            Breach::Overflow => Reason::Overflow,
            Breach::TooLarge => Reason::TooLarge,
            Breach::Version => Reason::Version,
        }
    }

    /// What the user of the socket is told.
    pub(crate) fn failure(self) -> Failure {
        let (kind, _) = self.reason().explain();
        Failure::new(kind, self.text())
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Breach::Malformed => "the peer sent what is not in the format",
            Breach::Gap => "packets were lost on their way here",
            Breach::Repeated => "a packet came twice, or too late",
            Breach::Overflow => "the peer sent more than it was allowed",
            Breach::TooLarge => "the peer sends a message above the limit",
            Breach::Version => "the peer speaks a version that is not known here",
        }
    }

    pub(crate) fn counter(self, counters: &Counters) -> &Counter {
        match self {
            Breach::Malformed => &counters.malformed,
            Breach::Gap | Breach::Repeated => &counters.out_of_order,
            Breach::Overflow | Breach::TooLarge => &counters.excessive,
            Breach::Version => &counters.newer,
        }
    }
}

impl Reason {
    /// What it means to the user of the socket.
    pub(crate) fn explain(self) -> (ErrorKind, &'static str) {
        match self {
            Reason::Unknown => (
                ErrorKind::Unavailable,
                "the peer has lost this socket, and what was on its way",
            ),
            Reason::Refused => (ErrorKind::Unavailable, "the listener has too many sockets"),
            Reason::Lost => (
                ErrorKind::Unavailable,
                "packets were lost on their way to the peer",
            ),
            Reason::Failed => (ErrorKind::Unavailable, "the peer's end of the socket has failed"),
            Reason::Malformed => (ErrorKind::Malformed, "the peer cannot read what was sent"),
            Reason::Overflow => (
                ErrorKind::ResourceExhausted,
                "the peer was sent more than it allowed",
            ),
            Reason::TooLarge => (
                ErrorKind::ResourceExhausted,
                "the message is too large for the peer",
            ),
            Reason::Version => (ErrorKind::Unsupported, "the peer does not know this version"),
        }
    }
}
