//! What goes out on one end of a socket: messages are put into packets, which leave one after the other.

use std::task::Waker;

use bytes::Bytes;

use super::history::History;
use super::window::INITIAL;

mod due;
mod large;
mod pack;
#[cfg(test)]
mod tests;

pub(crate) use due::Due;
use large::Large;
use pack::FULL;
pub(crate) use pack::Style;

/// The sending side of one end.
#[derive(Debug)]
pub(crate) struct Out {
    /// The packet that is being filled; empty when there is none.
    packet: Vec<u8>,
    /// How many messages end in it.
    messages: u32,
    /// Where what comes before a body is written first, since its length stands before it.
    head: Vec<u8>,
    /// Its number.
    number: u64,
    /// A packet that waits for room in the connection.
    pub(crate) sealed: Option<Sealed>,
    /// The message that is being cut into pieces, with room and credit.
    large: Option<Large>,
    pub(crate) due: Due,
    /// How many messages were taken.
    pub(crate) fed: u64,
    /// How far messages have been taken, and how far they may.
    sent: u64,
    pub(crate) limit: u64,
    /// The largest message that the peer takes.
    pub(crate) max_message: u64,
    /// What the last packets had; only of a dialling end, to which the server answers when nobody is there.
    pub(crate) history: Option<History>,
    /// No messages go any more.
    pub(crate) refused: bool,
    /// The listener leaves its address, so that words go to its home.
    pub(crate) leaving: bool,
    /// Nothing goes any more: one of the ends has given the socket up.
    pub(crate) muted: bool,
    /// Whether messages were dropped because no more go.
    pub(crate) dropped: bool,
    /// Whether the courier of the connection takes packets.
    pub(crate) with_courier: bool,
    pub(crate) writer: Option<Waker>,
}

/// A packet that is complete.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) payload: Bytes,
    pub(crate) messages: u32,
}

impl Out {
    pub(crate) fn new() -> Self {
        Out {
            packet: Vec::new(),
            head: Vec::new(),
            messages: 0,
            number: 0,
            sealed: None,
            large: None,
            due: Due::default(),
            fed: 0,
            sent: 0,
            limit: INITIAL,
            max_message: u64::MAX,
            history: None,
            refused: false,
            leaving: false,
            muted: false,
            dropped: false,
            with_courier: false,
            writer: None,
        }
    }

    /// Whether a message can be taken.
    pub(crate) fn is_ready(&self) -> bool {
        self.large.is_none() && self.packet.len() < FULL && self.sent < self.limit
    }

    /// Whether all that was taken has left.
    pub(crate) fn is_empty(&self) -> bool {
        let empty = self.sealed.is_none() && self.large.is_none() && self.packet.is_empty();
        self.muted || empty && !self.due.fin && !self.with_courier
    }

    /// Whether anybody waits for credit.
    pub(crate) fn wants_credit(&self) -> bool {
        self.large.is_some() || self.writer.is_some()
    }

    /// Whether something that was taken waits for credit.
    pub(crate) fn waits_for_credit(&self) -> bool {
        self.large.is_some() && !self.muted
    }

    /// Whether nothing was said yet.
    pub(crate) fn is_silent(&self) -> bool {
        self.number == 0 && self.packet.is_empty()
    }

    /// Whether no message was ever taken, so that the peer need not hear of this end.
    pub(crate) fn is_unused(&self) -> bool {
        self.is_silent() && self.sealed.is_none() && self.large.is_none()
    }

    /// How far the other end may send, and how many of its packets have come.
    pub(crate) fn owe_credit(&mut self, limit: u64, packets: u64) {
        let (earlier_limit, earlier_packets) = self.due.credit.unwrap_or_default();
        self.due.credit = Some((limit.max(earlier_limit), packets.max(earlier_packets)));
    }

    /// The packet that waited has left.
    pub(crate) fn left(&mut self) -> Option<Sealed> {
        let sealed = self.sealed.take()?;
        // The server does not answer to packets to a home.
        if let (Some(history), false) = (&mut self.history, self.leaving) {
            history.push(sealed.messages);
        }
        Some(sealed)
    }

    /// Takes no more messages, and drops those that have not left: how many. A packet that is complete is not dropped
    /// when the peer still counts packets.
    pub(crate) fn refuse(&mut self, counting: bool) -> usize {
        self.refused = true;
        let mut dropped = std::mem::take(&mut self.messages) as usize;
        self.packet = Vec::new();
        dropped += usize::from(self.large.take().is_some());
        if !counting && let Some(sealed) = self.sealed.take() {
            dropped += sealed.messages as usize;
        }
        self.dropped |= dropped > 0;
        dropped
    }
}
