//! Messages that come in pieces.

use super::{Incoming, Item, News, What};
use crate::ending::Entry;
use crate::native::breach::Breach;

/// A message of which a part has come.
#[derive(Debug)]
pub(super) struct Pieces {
    /// What has come, put together at once: so that pieces hold no packets, and are copied while they are at hand.
    whole: Vec<u8>,
    total: u64,
    pub(super) missing: u64,
    /// What of its cost has not been given back, because earlier messages still wait.
    pub(super) held: u64,
}

impl Pieces {
    fn new(total: u64, whole: Vec<u8>) -> Self {
        Pieces {
            whole,
            total,
            missing: total,
            held: 0,
        }
    }

    /// Room is made for twice what has come, at most: a total that lies costs nothing.
    fn keep(&mut self, piece: &[u8]) {
        let needed = self.whole.len() + piece.len();
        if needed > self.whole.capacity() {
            let total = usize::try_from(self.total).unwrap_or(usize::MAX);
            let room = needed.max(2 * self.whole.len()).min(total);
            self.whole.reserve_exact(room - self.whole.len());
        }
        self.whole.extend_from_slice(piece);
    }

    /// Nobody reads them.
    pub(super) fn forget(&mut self) {
        self.whole = Vec::new();
    }

    /// For how many bytes there is room.
    #[cfg(test)]
    pub(super) fn room(&self) -> usize {
        self.whole.capacity()
    }
}

impl Incoming {
    pub(super) fn begin_pieces(&mut self, total: u64) -> Result<(), Breach> {
        if self.pieces.is_some() {
            return Err(Breach::Malformed);
        }
        self.check_size(total)?;
        self.pieces = Some(Pieces::new(total, self.spare.take(total)));
        Ok(())
    }

    pub(super) fn take_piece(&mut self, piece: &[u8], cost: u64, news: &mut News<'_>) -> Result<(), Breach> {
        if !self.window.receive(cost) {
            return Err(Breach::Overflow);
        }
        let pieces = self.pieces.as_mut().ok_or(Breach::Malformed)?;
        let missing = pieces.missing.checked_sub(piece.len() as u64);
        pieces.missing = missing.ok_or(Breach::Malformed)?;
        pieces.held += cost;
        if self.ending.entry() == Entry::Open {
            pieces.keep(piece);
        }
        // While nothing waits before it, its pieces cost nothing: so it can be larger than the window.
        if let (true, Some(pieces)) = (self.is_read(), &mut self.pieces) {
            let held = std::mem::take(&mut pieces.held);
            news.grant = self.consume(held).or(news.grant);
        }
        self.end_pieces();
        Ok(())
    }

    fn end_pieces(&mut self) {
        if let Some(pieces) = self.pieces.take_if(|pieces| pieces.missing == 0) {
            let whole = self.spare.lend(pieces.whole);
            self.push(Item {
                what: What::Whole(whole),
                cost: pieces.held,
                messages: 1,
            });
        }
    }
}
