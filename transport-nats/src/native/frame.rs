//! Frames: what a packet is made of. A type, a length, and content.
//!
//! `docs/wire.md` says what each of them means, and has the same numbers.

mod kind;
mod read;
mod reason;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use read::{is_reset, take};
pub(crate) use reason::Reason;
pub(crate) use write::{MAX_PIECE_HEAD, head_len, put, put_first_head, put_message_head, put_more_head};

/// One frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    /// The first of each direction: who speaks.
    Hello(Hello<'a>),
    /// A message.
    Message(&'a [u8]),
    /// The first piece of a message, and how long all of it is.
    First(u64, &'a [u8]),
    /// A later piece.
    More(&'a [u8]),
    /// The other end may send messages up to this offset; this many of its packets have come.
    Credit { limit: u64, packets: u64 },
    /// Nothing more comes.
    Fin,
    /// The reader has left, after this many messages.
    Stop(u64),
    /// The socket is given up.
    Reset(Reason, &'a str),
    /// The listener leaves its address.
    GoAway,
    /// Are you there?
    Ping,
    /// Yes.
    Pong(Sign<'a>),
    /// The socket that a packet to a home is for, by its dialler's reply subject.
    Socket(&'a str),
    /// Of a later version, and not needed to understand the rest.
    Unknown,
}

/// A process on one connection: where it is asked things, and how often it has lost its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sign<'a> {
    pub(crate) epoch: u64,
    pub(crate) home: &'a str,
}

/// How one end introduces itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hello<'a> {
    /// How far the other end may send messages.
    pub(crate) limit: u64,
    /// The largest message that is taken.
    pub(crate) max_message: u64,
    pub(crate) sign: Sign<'a>,
}
