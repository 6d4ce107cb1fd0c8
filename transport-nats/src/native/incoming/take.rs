//! Packets, as they are checked and taken in.

use bytes::Bytes;

use super::{Incoming, Item, News, Way, What};
use crate::native::breach::Breach;
use crate::native::frame::{self, Frame};
use crate::native::packet::Packet;
use crate::native::window;

/// Frames that follow each other and have messages.
struct Run<'a> {
    start: &'a [u8],
    cost: u64,
    messages: u64,
}

impl<'a> Run<'a> {
    fn new(start: &'a [u8]) -> Self {
        Run {
            start,
            cost: 0,
            messages: 0,
        }
    }

    fn add(&mut self, cost: u64) {
        self.cost += cost;
        self.messages += 1;
    }

    /// What waits of a packet whose frames end where `rest` begins. It must not outgrow what was paid for it, and a peer
    /// may add to a packet what costs nothing: then only the messages are kept.
    fn kept(&self, rest: &[u8], packet: &Packet) -> Bytes {
        let frames = &self.start[..self.start.len() - rest.len()];
        if packet.frames.len() as u64 <= 2 * self.cost {
            return packet.frames.slice_ref(frames);
        }
        let mut messages = Vec::new();
        let mut rest = frames;
        while !rest.is_empty() {
            let before = rest;
            let is_message = matches!(frame::take(&mut rest), Some(Frame::Message(_)));
            if is_message {
                messages.extend_from_slice(&before[..before.len() - rest.len()]);
            }
        }
        messages.into()
    }
}

impl Incoming {
    /// Takes a packet in.
    ///
    /// # Errors
    /// What the peer did that ends the socket.
    pub(crate) fn take<'a>(&mut self, packet: &'a Packet, way: Way) -> Result<News<'a>, Breach> {
        if self.ending.has_failed() {
            // What follows a breach is none of its own.
            return Ok(News::default());
        }
        // Whoever knows nothing of this socket does not know the number either.
        if frame::is_reset(&packet.frames)
            && let Some(Frame::Reset(reason, text)) = frame::take(&mut &packet.frames[..])
        {
            return Ok(News {
                reset: Some((reason, text)),
                ..News::default()
            });
        }
        if way == Way::Socket {
            self.check_number(packet.number)?;
        }
        self.take_frames(packet, way)
    }

    fn take_frames<'a>(&mut self, packet: &'a Packet, way: Way) -> Result<News<'a>, Breach> {
        let mut rest = &packet.frames[..];
        let (mut news, mut run) = (News::default(), Run::new(rest));
        while !rest.is_empty() {
            let before = rest;
            match frame::take(&mut rest).ok_or(Breach::Malformed)? {
                Frame::Message(_) | Frame::First(..) | Frame::More(_) if way == Way::Home => {
                    return Err(Breach::Malformed);
                }
                Frame::Message(content) => {
                    self.check_size(content.len() as u64)?;
                    let cost = window::cost(content.len());
                    self.receive(cost)?;
                    run.add(cost);
                }
                Frame::First(total, piece) => {
                    self.push_run(&run, before, packet);
                    self.begin_pieces(total)?;
                    self.take_piece(piece, window::cost(piece.len()), &mut news)?;
                    run = Run::new(rest);
                }
                Frame::More(piece) => {
                    self.push_run(&run, before, packet);
                    self.take_piece(piece, piece.len() as u64, &mut news)?;
                    run = Run::new(rest);
                }
                word => news.note(word, way),
            }
        }
        self.push_run(&run, rest, packet);
        Ok(news)
    }

    fn check_number(&mut self, number: u64) -> Result<(), Breach> {
        if number != self.expected {
            return Err(match number > self.expected {
                true => Breach::Gap,
                false => Breach::Repeated,
            });
        }
        self.expected += 1;
        Ok(())
    }

    /// A whole message, or what the first piece of one announces.
    pub(super) fn check_size(&self, content: u64) -> Result<(), Breach> {
        match content > self.max_content {
            true => Err(Breach::TooLarge),
            false => Ok(()),
        }
    }

    fn receive(&mut self, cost: u64) -> Result<(), Breach> {
        match self.window.receive(cost) {
            // A message between the pieces of another.
            true if self.pieces.is_some() => Err(Breach::Malformed),
            true => Ok(()),
            false => Err(Breach::Overflow),
        }
    }

    /// The messages of a run wait together.
    fn push_run(&mut self, run: &Run<'_>, rest: &[u8], packet: &Packet) {
        if run.messages > 0 {
            self.push(Item {
                what: What::Frames(run.kept(rest, packet)),
                cost: run.cost,
                messages: run.messages,
            });
        }
    }
}
