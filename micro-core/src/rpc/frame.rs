//! Calls as messages on a socket, and back: the vocabulary of go-micro, with ours beside it.
//!
//! | from the caller | headers | body |
//! |---|---|---|
//! | request | Service, Method, Endpoint, ID (both spellings), Content-Type, Accept, Timeout, metadata | the request |
//! | opening of a stream | the same, and `Micro-Stream` | an empty request, which servers discard |
//! | item of a stream | the same as its opening | the item |
//! | end | the same, and `Micro-Error: EOS` | none |
//! | half-close, cancel (ours) | ID, `Micro-Control` | none |
//! | ping (go-micro) | Content-Type that nobody knows, an ID that no call has | none |
//!
//! To a peer of ours, what a request says twice for go-micro's older generations (Method, Accept, the older ID) is left
//! out.
//!
//! | from the server | headers | body |
//! |---|---|---|
//! | answer | Content-Type, ID in the spelling that came, metadata | the answer |
//! | item of a stream | Content-Type, Service, Method, Endpoint, ID | the item |
//! | end, failure | the same, and `Micro-Error` | none |

use crate::message::Metadata;
use crate::rpc::FEATURES_KEY;

mod answer;
mod answered;
mod received;
mod request;
mod said;

pub(crate) use answer::ReplyTo;
pub(crate) use answered::{FromServer, ServerEvent, from_server, unframed};
pub(crate) use received::{Call, FromCaller, from_caller, server_context};
pub(crate) use request::{Caller, cancel, empty_request, half_close, ping, request};

#[cfg(test)]
mod tests;

/// Which words a peer understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// go-micro's.
    GoMicro,
    /// Ours as well, and go-micro's need not be said twice.
    Ours,
}

impl Dialect {
    /// What a node with this metadata understands.
    pub(crate) fn of(peer: &Metadata) -> Self {
        match peer.contains_key(FEATURES_KEY) {
            true => Dialect::Ours,
            false => Dialect::GoMicro,
        }
    }

    pub(crate) fn is_ours(self) -> bool {
        self == Dialect::Ours
    }
}
