//! Messages and words, as they are put into packets.

use std::sync::Arc;

use bytes::Bytes;
use micro_core::Message;

use super::large::Large;
use super::{Out, Sealed};
use crate::native::frame::{self, Frame};
use crate::native::spare::Spare;
use crate::native::{content, packet, window};

/// A packet that has reached this size leaves.
pub(crate) const FULL: usize = 64 << 10;

/// The largest packet, where the server allows it: larger messages are cut into pieces.
const LARGEST: usize = 512 << 10;

/// What a packet may have beside messages: its head, a hello, and words.
const ROOM_FOR_WORDS: usize = 768;

/// What a hello takes, mostly.
const ROOM_FOR_HELLO: usize = 96;

/// What comes before a body, mostly.
const ROOM_FOR_HEAD: usize = 64;

/// The largest head whose buffer is kept for the next.
const KEPT_HEAD: usize = 256;

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
    /// Where the memory of large packets is from.
    pub(crate) packets: &'a Arc<Spare>,
}

impl Out {
    /// Takes a message. One that does not fit into the packet waits for the next, in pieces if it has to.
    pub(crate) fn feed(&mut self, message: &Message, style: &Style<'_>) {
        let mut head = std::mem::take(&mut self.head);
        head.clear();
        head.reserve(ROOM_FOR_HEAD);
        content::put_head(&mut head, &message.headers);
        self.feed_content(&head, &message.body, style);
        if head.capacity() <= KEPT_HEAD {
            self.head = head;
        }
    }

    fn feed_content(&mut self, head: &[u8], body: &Bytes, style: &Style<'_>) {
        let len = head.len() + body.len();
        let frame = frame::head_len(len) + len;
        self.fed += 1;
        let full = self.messages > 0 && self.packet.len() + frame > FULL;
        if full || frame > room(style) {
            self.large = Some(Large::new(head, body.clone()));
            return;
        }
        self.sent += window::cost(len);
        self.begin(style, frame);
        frame::put_message_head(&mut self.packet, len);
        self.packet.extend_from_slice(head);
        self.packet.extend_from_slice(body);
        self.messages += 1;
    }

    fn begin(&mut self, style: &Style<'_>, content: usize) {
        if !self.packet.is_empty() {
            return;
        }
        let hello = if self.number == 0 { ROOM_FOR_HELLO } else { 0 };
        // What is large is not to be copied once more when a word comes behind it.
        let words = if content > FULL { ROOM_FOR_WORDS } else { 0 };
        let length = packet::head_len(self.number) + hello + content + words;
        self.packet = style.packets.take(length as u64);
        self.packet.reserve_exact(length);
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
            payload: style.packets.lend(std::mem::take(&mut self.packet)),
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
}

/// How much of messages fits into a packet.
fn room(style: &Style<'_>) -> usize {
    LARGEST.min(style.max_payload).max(2 * ROOM_FOR_WORDS) - ROOM_FOR_WORDS
}
