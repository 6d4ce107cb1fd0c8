//! Messages that come in pieces.

use bytes::Bytes;

use super::{Incoming, Item, News, What};
use crate::ending::Entry;
use crate::native::breach::Breach;
use crate::native::packet::Packet;

/// A message of which a part has come.
#[derive(Debug)]
pub(super) struct Pieces {
    whole: Vec<Bytes>,
    /// What was copied, behind those that are whole.
    copied: Vec<u8>,
    missing: u64,
    len: usize,
    /// What of its cost has not been given back, because earlier messages still wait.
    pub(super) held: u64,
}

/// A piece of so many bytes, and of half of its packet, is kept where it is.
const WORTH_ITS_PACKET: usize = 512;

impl Pieces {
    fn new(total: u64) -> Self {
        Pieces {
            whole: Vec::new(),
            copied: Vec::new(),
            missing: total,
            len: 0,
            held: 0,
        }
    }

    /// What is kept of packets must not outgrow the message: small pieces are copied, and so hold no packet.
    fn keep(&mut self, piece: &[u8], packet: &Packet) {
        if piece.len() < WORTH_ITS_PACKET || packet.frames.len() > 2 * piece.len() {
            return self.copied.extend_from_slice(piece);
        }
        self.end_copy();
        self.whole.push(packet.frames.slice_ref(piece));
    }

    fn end_copy(&mut self) {
        if !self.copied.is_empty() {
            self.whole.push(std::mem::take(&mut self.copied).into());
        }
    }

    /// Nobody reads them.
    pub(super) fn forget(&mut self) {
        (self.whole, self.copied) = (Vec::new(), Vec::new());
    }
}

impl Incoming {
    pub(super) fn begin_pieces(&mut self, total: u64) -> Result<(), Breach> {
        if self.pieces.is_some() {
            return Err(Breach::Malformed);
        }
        self.check_size(total)?;
        self.pieces = Some(Pieces::new(total));
        Ok(())
    }

    pub(super) fn take_piece(
        &mut self,
        piece: &[u8],
        cost: u64,
        packet: &Packet,
        news: &mut News<'_>,
    ) -> Result<(), Breach> {
        if !self.window.receive(cost) {
            return Err(Breach::Overflow);
        }
        let pieces = self.pieces.as_mut().ok_or(Breach::Malformed)?;
        let missing = pieces.missing.checked_sub(piece.len() as u64);
        pieces.missing = missing.ok_or(Breach::Malformed)?;
        pieces.len += piece.len();
        pieces.held += cost;
        if self.ending.entry() == Entry::Open {
            pieces.keep(piece, packet);
        }
        // While nothing waits before it, its pieces cost nothing: so it can be larger than the window.
        if self.queue.is_empty() && !self.lent {
            let held = std::mem::take(&mut pieces.held);
            news.grant = self.window.consume(held).or(news.grant);
        }
        self.end_pieces();
        Ok(())
    }

    fn end_pieces(&mut self) {
        if let Some(mut pieces) = self.pieces.take_if(|pieces| pieces.missing == 0) {
            pieces.end_copy();
            self.push(Item {
                what: What::Pieces(pieces.whole, pieces.len),
                cost: pieces.held,
                messages: 1,
            });
        }
    }
}
