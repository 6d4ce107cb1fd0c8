//! Messages that come in pieces.

use bytes::Bytes;

use super::{Incoming, Item, News, What};
use crate::ending::Entry;
use crate::native::breach::Breach;
use crate::native::packet::Packet;

/// A message of which a part has come.
#[derive(Debug)]
pub(super) struct Pieces {
    pub(super) all: Vec<Bytes>,
    missing: u64,
    len: usize,
    /// What of its cost has not been given back, because earlier messages still wait.
    pub(super) held: u64,
}

impl Incoming {
    pub(super) fn begin_pieces(&mut self, total: u64) -> Result<(), Breach> {
        if self.pieces.is_some() {
            return Err(Breach::Malformed);
        }
        if total > self.max_content {
            return Err(Breach::TooLarge);
        }
        self.pieces = Some(Pieces {
            all: Vec::new(),
            missing: total,
            len: 0,
            held: 0,
        });
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
            pieces.all.push(packet.frames.slice_ref(piece));
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
        if let Some(pieces) = self.pieces.take_if(|pieces| pieces.missing == 0) {
            self.push(Item {
                what: What::Pieces(pieces.all, pieces.len),
                cost: pieces.held,
                messages: 1,
            });
        }
    }
}
