//! Calls as messages on a socket, and back: the vocabulary of go-micro, with ours beside it.
//!
//! | from the caller | headers | body |
//! |---|---|---|
//! | request | Service, Method, Endpoint, ID (both spellings), Content-Type, Accept, Timeout, metadata | the request |
//! | opening of a stream | the same, and `Micro-Stream` | an empty request, which servers discard |
//! | item of a stream | the same as its opening | the item |
//! | end | the same, and `Micro-Error: EOS` | none |
//! | half-close, cancel (ours) | ID, `Micro-Control` | none |
//! | items of a stream (ours) | ID, `Micro-Stream`, `Micro-Control: items` | a pack of items |
//! | credit (ours) | ID, `Micro-Control: credit` | how much the server may send |
//! | ping (go-micro) | Content-Type that nobody knows, an ID that no call has | none |
//!
//! To a peer of ours, what a request says twice for go-micro's older generations (Method, Accept, the older ID) is left
//! out.
//!
//! | from the server | headers | body |
//! |---|---|---|
//! | answer | Content-Type, ID in the spelling that came, metadata | the answer |
//! | item of a stream | Content-Type, Service, Method, Endpoint, ID | the item |
//! | items of a stream (ours) | ID, `Micro-Control: items` | a pack of items |
//! | credit (ours) | ID, `Micro-Control: credit` | how much the caller may send |
//! | end, failure | Content-Type, Service, Method, Endpoint, ID, `Micro-Error` | none |
//!
//! A caller that understands packs says `Micro-Control: items` when it opens a stream. A single item then travels with
//! the ID alone, and `Micro-Stream` from the caller; it is never framed. Both ends then send no more than they have
//! credit for.

use crate::message::Metadata;
use crate::rpc::FEATURES_KEY;
use crate::rpc::framing::Framing;

mod answer;
mod answered;
mod received;
mod request;
mod said;

pub(crate) use answer::ReplyTo;
pub(crate) use answered::{FromServer, ServerEvent, from_server, is_plain, unframed};
pub(crate) use received::{Call, FromCaller, from_caller, server_context};
pub(crate) use request::{Caller, cancel, credit, empty_request, half_close, ping, request};

#[cfg(test)]
mod tests;

/// Which words a peer understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// go-micro's.
    GoMicro,
    /// Ours as well, and go-micro's need not be said twice.
    Ours,
    /// Packs of items, and credit for them, too.
    Packs,
}

impl Dialect {
    /// What a node with this metadata understands.
    pub(crate) fn of(peer: &Metadata) -> Self {
        match peer.get(FEATURES_KEY).map(String::as_str) {
            None => Dialect::GoMicro,
            Some("1") => Dialect::Ours,
            // A later version can do what this one can.
            Some(_) => Dialect::Packs,
        }
    }

    pub(crate) fn is_ours(self) -> bool {
        self != Dialect::GoMicro
    }

    /// Whether items of streams may be packed, with nothing around them.
    fn packs(self, framing: Framing) -> bool {
        self == Dialect::Packs && framing == Framing::Plain
    }
}
