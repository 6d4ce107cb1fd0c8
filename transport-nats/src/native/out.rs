//! What goes out on one end of a socket: messages are put into packets, which leave one after the other.

use std::task::Waker;

use bytes::Bytes;
use micro_core::Message;

use super::content;
use super::frame::{self, Frame, Reason};
use super::history::History;
use super::packet;
use super::window::{self, INITIAL};

/// A packet that has reached this size leaves.
pub(crate) const FULL: usize = 64 << 10;

/// The largest packet, where the server allows it: larger messages are cut into pieces.
const LARGEST: usize = 512 << 10;

/// What a packet may have beside messages: its head, a hello, and words.
const ROOM_FOR_WORDS: usize = 768;

/// What a hello takes, mostly.
const ROOM_FOR_HELLO: usize = 64;

/// The sending side of one end.
#[derive(Debug)]
pub(crate) struct Out {
    /// The packet that is being filled; empty when there is none.
    packet: Vec<u8>,
    /// How many messages end in it.
    messages: u32,
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

/// Words that the next packet takes along.
#[derive(Debug, Default)]
pub(crate) struct Due {
    pub(crate) credit: Option<(u64, u64)>,
    pub(crate) stop: Option<u64>,
    pub(crate) pong: bool,
    pub(crate) ping: bool,
    pub(crate) goaway: bool,
    pub(crate) reset: Option<(Reason, &'static str)>,
    /// After all messages.
    pub(crate) fin: bool,
}

#[derive(Debug)]
struct Large {
    head: Bytes,
    body: Bytes,
    total: usize,
    begun: bool,
}

/// What a packet is made with.
pub(crate) struct Style<'a> {
    /// The most bytes that the server takes.
    pub(crate) max_payload: usize,
    /// Writes what the first packet begins with.
    pub(crate) hello: &'a dyn Fn(&mut Vec<u8>),
    /// Writes what a packet to a home begins with.
    pub(crate) socket: &'a dyn Fn(&mut Vec<u8>),
    /// Writes the answer to a ping.
    pub(crate) pong: &'a dyn Fn(&mut Vec<u8>),
}

impl Due {
    fn has_words(&self) -> bool {
        self.credit.is_some()
            || self.stop.is_some()
            || self.pong
            || self.ping
            || self.goaway
            || self.reset.is_some()
    }

    /// Writes the words; whether one of them is the last.
    fn put(&mut self, out: &mut Vec<u8>, style: &Style<'_>) -> bool {
        let last = self.reset.is_some();
        let mut word = |frame: Frame<'_>| frame::put(out, &frame);
        if let Some((limit, packets)) = self.credit.take() {
            word(Frame::Credit { limit, packets });
        }
        if let Some(read) = self.stop.take() {
            word(Frame::Stop(read));
        }
        if std::mem::take(&mut self.goaway) {
            word(Frame::GoAway);
        }
        if std::mem::take(&mut self.ping) {
            word(Frame::Ping);
        }
        if let Some((reason, text)) = self.reset.take() {
            word(Frame::Reset(reason, text));
        }
        if std::mem::take(&mut self.pong) {
            (style.pong)(out);
        }
        last
    }
}

impl Out {
    pub(crate) fn new() -> Self {
        Out {
            packet: Vec::new(),
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

    /// Takes a message. One that does not fit into the packet waits for the next, in pieces if it has to.
    pub(crate) fn feed(&mut self, message: Message, style: &Style<'_>) {
        let len = content::len(&message);
        let frame = frame::head_len(len) + len;
        self.fed += 1;
        let full = self.messages > 0 && self.packet.len() + frame > FULL;
        if full || frame > room(style) {
            self.large = Some(Large::new(message, len));
            return;
        }
        self.sent += window::cost(len);
        self.begin(style, frame);
        frame::put_message_head(&mut self.packet, len);
        content::put(&mut self.packet, &message);
        self.messages += 1;
    }

    fn begin(&mut self, style: &Style<'_>, content: usize) {
        if !self.packet.is_empty() {
            return;
        }
        let hello = if self.number == 0 { ROOM_FOR_HELLO } else { 0 };
        self.packet = Vec::with_capacity(packet::head_len(self.number) + hello + content);
        packet::put_head(&mut self.packet, self.number);
        if self.leaving {
            (style.socket)(&mut self.packet);
        } else if self.number == 0 {
            (style.hello)(&mut self.packet);
        }
    }

    /// Whether there is a reason for a packet; with `all`, being not full is none against it.
    pub(crate) fn has_something(&self, all: bool) -> bool {
        let words = self.due.has_words() || self.due.fin && self.large.is_none();
        let cut = self.large.is_some() && self.sent < self.limit;
        !self.muted && (self.is_complete(all) || all && (words || cut))
    }

    fn is_complete(&self, all: bool) -> bool {
        self.messages > 0 && (all || self.large.is_some() || self.packet.len() >= FULL)
    }

    /// Completes the next packet, if there is a reason for one.
    pub(crate) fn seal(&mut self, all: bool, style: &Style<'_>) -> bool {
        if self.sealed.is_some() || !self.has_something(all) {
            return false;
        }
        let cut = !self.is_complete(all) && self.large.is_some() && self.sent < self.limit;
        if cut {
            self.cut(style);
        }
        self.begin(style, ROOM_FOR_HELLO);
        self.close_packet(style);
        true
    }

    fn close_packet(&mut self, style: &Style<'_>) {
        self.muted |= self.due.put(&mut self.packet, style);
        if self.large.is_none() && std::mem::take(&mut self.due.fin) {
            frame::put(&mut self.packet, &Frame::Fin);
        }
        self.sealed = Some(Sealed {
            payload: std::mem::take(&mut self.packet).into(),
            messages: std::mem::take(&mut self.messages),
        });
        self.number += 1;
    }

    fn cut(&mut self, style: &Style<'_>) {
        let Some(mut large) = self.large.take() else {
            return;
        };
        let piece = large.rest().min(room(style) - frame::MAX_PIECE_HEAD);
        self.begin(style, frame::MAX_PIECE_HEAD + piece);
        self.sent += large.put(&mut self.packet, piece);
        match large.rest() {
            0 => self.messages += 1,
            _ => self.large = Some(large),
        }
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

impl Large {
    fn new(message: Message, len: usize) -> Self {
        let mut head = Vec::with_capacity(content::head_len(&message.headers));
        content::put_head(&mut head, &message.headers);
        Large {
            head: head.into(),
            body: message.body,
            total: len,
            begun: false,
        }
    }

    fn rest(&self) -> usize {
        self.head.len() + self.body.len()
    }

    /// Writes the next piece; what it costs.
    fn put(&mut self, out: &mut Vec<u8>, piece: usize) -> u64 {
        let begun = std::mem::replace(&mut self.begun, true);
        match begun {
            true => frame::put_more_head(out, piece),
            false if piece == self.total => frame::put_message_head(out, piece),
            false => frame::put_first_head(out, self.total as u64, piece),
        }
        let head = self.head.split_to(piece.min(self.head.len()));
        out.extend_from_slice(&head);
        out.extend_from_slice(&self.body.split_to(piece - head.len()));
        match begun {
            true => piece as u64,
            false => window::cost(piece),
        }
    }
}

/// How much of messages fits into a packet.
fn room(style: &Style<'_>) -> usize {
    LARGEST.min(style.max_payload).max(2 * ROOM_FOR_WORDS) - ROOM_FOR_WORDS
}
