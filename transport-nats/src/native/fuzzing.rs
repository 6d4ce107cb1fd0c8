//! What packets of strangers must not do: see [`fuzzing`](crate::fuzzing).

use bytes::Bytes;
use micro_core::ErrorKind;

use super::content;
use super::frame::{self, Frame};
use super::incoming::{Incoming, Next, Way};
use super::packet::{self, Packet, Unreadable};
use super::spare::Spare;
use super::window::cost;
use crate::ending::Failure;

/// What is read in a packet is written as what is read as the same.
pub fn packets(data: &[u8]) {
    let payload = Bytes::copy_from_slice(data);
    let packet = match Packet::open(&payload) {
        Ok(packet) => packet,
        Err(Unreadable::Version(version)) => return assert!(data.first() != Some(&0x82), "{version}"),
        Err(Unreadable::Truncated) => return assert!(!data[1..].iter().take(9).any(|byte| *byte < 0x80)),
    };
    assert!(packet::is_native(data));
    let opens = packet.opens();
    assert!(!opens || packet.number == 0 && packet.socket().is_none());
    packet.expects_an_answer();
    let mut rest = &packet.frames[..];
    while let Some(frame) = frame::take(&mut rest) {
        comes_back(&frame);
        if let Frame::Message(content) = frame {
            message_comes_back(&packet.frames, content);
        }
    }
}

fn comes_back(frame: &Frame<'_>) {
    // What is for people only is cut when it is written.
    let cut = matches!(frame, Frame::Reset(_, text) if text.len() > 200);
    let mut bytes = Vec::new();
    frame::put(&mut bytes, frame);
    let mut rest = &bytes[..];
    let read = frame::take(&mut rest);
    assert!(rest.is_empty());
    assert!(cut || read.as_ref() == Some(frame), "{frame:?} became {read:?}");
}

fn message_comes_back(whole: &Bytes, content: &[u8]) {
    let Some(message) = content::read(whole, content) else {
        return;
    };
    assert!(message.headers.len() <= content::MAX_HEADERS);
    let bytes = Bytes::from(content::of(&message));
    assert_eq!(content::read(&bytes, &bytes), Some(message));
}

/// How much waits unread here, and the largest message.
const WINDOW: u64 = 16 << 10;
const MAX_CONTENT: u64 = 64 << 10;

/// How long a frame is that is passed over.
const PADDING: usize = 0x3fff;

/// One end hears whatever comes, in any order: it gives out what was sent and allowed, and keeps no more than that.
pub fn sockets(data: &[u8]) {
    let mut peer = Peer::default();
    let mut end = Ear::new();
    let mut rest = data;
    while let [step, size, behind @ ..] = rest {
        rest = behind;
        let size = usize::from(*size);
        match step % 16 {
            0..10 => peer.write(step % 16, size),
            10 => {
                let (raw, behind) = rest.split_at(size.min(rest.len()));
                peer.frames.extend_from_slice(raw);
                rest = behind;
            }
            11 | 12 => end.take(&peer.packet(0), Way::Socket),
            13 => end.take(&peer.packet(size as u64), Way::Home),
            14 => end.take(&peer.packet(size as u64), Way::Socket),
            _ => end.read(size),
        }
        end.is_bounded();
    }
}

/// Who sends.
#[derive(Default)]
struct Peer {
    frames: Vec<u8>,
    number: u64,
}

impl Peer {
    fn write(&mut self, kind: u8, size: usize) {
        let content = vec![0; size];
        let frame = match kind {
            0 | 1 => Frame::Message(&content),
            2 => Frame::First(64 * size as u64, &content),
            3 | 4 => Frame::More(&content),
            5 => return self.pad(),
            6 => Frame::Fin,
            7 => Frame::Credit {
                limit: size as u64,
                packets: size as u64,
            },
            8 => Frame::Stop(size as u64),
            _ => Frame::Ping,
        };
        frame::put(&mut self.frames, &frame);
    }

    /// Adds what costs nothing, once: two bytes of input must not make much of it.
    fn pad(&mut self) {
        if self.frames.len() < PADDING {
            self.frames
                .extend([&[0x40, 0xff, 0x7f][..], &[0; PADDING]].concat());
        }
    }

    /// The next packet; its number is wrong by so much.
    fn packet(&mut self, wrong: u64) -> Bytes {
        let mut out = Vec::new();
        packet::put_head(&mut out, self.number + wrong);
        out.append(&mut self.frames);
        self.number += 1;
        out.into()
    }
}

/// Who hears.
struct Ear {
    incoming: Incoming,
    /// Everything that came, so as to see what of it is kept.
    came: Vec<Bytes>,
    largest: usize,
    allowed: u64,
    given: u64,
    cost: u64,
    done: u64,
}

impl Ear {
    fn new() -> Self {
        Ear {
            incoming: Incoming::new(WINDOW, MAX_CONTENT, &Spare::messages()),
            came: Vec::new(),
            largest: 0,
            allowed: 0,
            given: 0,
            cost: 0,
            done: 0,
        }
    }

    fn take(&mut self, payload: &Bytes, way: Way) {
        let packet = Packet::open(payload).ok();
        let Some(packet) = packet else { return };
        self.came.push(payload.clone());
        self.largest = self.largest.max(payload.len());
        if self.incoming.ending.has_failed() {
            assert!(self.incoming.take(&packet, way).is_ok(), "a socket ends once");
            return;
        }
        let before = self.incoming.taken();
        match self.incoming.take(&packet, way) {
            Ok(_) => self.count(&packet),
            Err(breach) => {
                let failure = Failure::new(ErrorKind::Malformed, breach.text());
                self.incoming.ending.fail(failure);
                self.count(&packet);
            }
        }
        let after = self.incoming.taken();
        assert!(after.0 <= before.0 + 1 && after.1 >= before.1);
    }

    /// What of a packet may be kept.
    fn count(&mut self, packet: &Packet) {
        let mut rest = &packet.frames[..];
        while let Some(frame) = frame::take(&mut rest) {
            self.cost += match frame {
                Frame::Message(content) => {
                    self.allowed += 1;
                    cost(content.len())
                }
                Frame::First(_, piece) => {
                    self.allowed += 1;
                    cost(piece.len())
                }
                Frame::More(piece) => piece.len() as u64,
                _ => 0,
            };
        }
    }

    fn read(&mut self, size: usize) {
        if size == 0xff {
            self.incoming.abandon(false);
        }
        let (next, _) = self.incoming.next(std::mem::take(&mut self.done));
        if let Next::Item(item) = next {
            self.done = item.cost();
            self.given += 1;
            assert!(self.given <= self.allowed, "more was given out than came");
        }
    }

    /// What is kept is in proportion to what was paid for, however it was padded.
    fn is_bounded(&mut self) {
        self.came.retain(|payload| !payload.is_unique());
        let kept: usize = self.came.iter().map(Bytes::len).sum();
        let paid = usize::try_from(self.cost).unwrap_or(usize::MAX);
        assert!(
            kept <= 2 * paid + self.largest,
            "{kept} bytes are kept for {paid}"
        );
    }
}
