//! Gathers the items of a stream that are ready, so that they travel together.

use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::codec::LENGTH;
use crate::error::Result;
use crate::rpc::credit::{Amount, Credit};
use crate::rpc::items::{Chunk, Items};

#[cfg(test)]
mod tests;

/// A pack of this many bytes is full.
const FULL: usize = 32 << 10;

/// An item of this many bytes travels alone.
const LARGE: usize = 4 << 10;

/// For how many bytes there is room at first.
const LONE: usize = 256;

/// How long the first item of a pack waits for the last at most, unless a single one takes longer.
const HELD: Duration = Duration::from_micros(100);

/// How many items are put into a pack before the time is looked at.
const MOST: usize = 4096;

/// Gathers items that are ready.
///
/// It begins with one, and takes twice as many each time, as long as that takes no longer than [`HELD`]: items that are
/// at hand travel together, and no item waits for another that takes its time.
#[derive(Debug)]
pub(crate) struct Pack {
    /// Whole items, and behind them what was left of one that could not be written.
    buffer: Vec<u8>,
    /// Where the whole items end.
    end: usize,
    items: usize,
    large: Option<Bytes>,
    /// How many bytes to make room for.
    expected: usize,
    /// How many items it takes before it leaves.
    most: usize,
    /// What the other end allows; without it, the other end understands no packs.
    credit: Option<Arc<Credit>>,
    /// What was taken so far.
    taken: Amount,
    /// How many items, and how many bytes, it may take now.
    room: (usize, usize),
}

impl Pack {
    /// For a peer that gives credit for them, or, without, for one that gets each item alone.
    pub(crate) fn new(credit: Option<Arc<Credit>>) -> Self {
        Pack {
            buffer: Vec::new(),
            end: 0,
            items: 0,
            large: None,
            expected: LONE,
            most: 1,
            credit,
            taken: Amount::default(),
            room: (1, FULL),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items == 0 && self.large.is_none()
    }

    /// Whether it is to leave before another item is added.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.items >= self.room.0 || self.end >= self.room.1 || self.large.is_some()
    }

    /// Waits until an empty pack may take something.
    pub(crate) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(credit) = &self.credit else {
            return Poll::Ready(());
        };
        let left = ready!(credit.poll_left(self.taken, cx));
        let within = |most: usize, left: u64| usize::try_from(left).map_or(most, |left| most.min(left));
        self.room = (within(self.most, left.items), within(FULL, left.bytes));
        Poll::Ready(())
    }

    /// Notes what it is filled with, and how long that takes.
    pub(crate) fn filling<T>(&mut self, fill: impl FnOnce(&mut Self) -> T) -> T {
        if self.credit.is_none() {
            return fill(self);
        }
        let begun = Instant::now();
        let filled = fill(self);
        let took = begun.elapsed();
        if took > HELD {
            self.most = (self.most / 2).max(1);
        } else if self.items >= self.most {
            self.most = (self.most * 2).min(MOST);
        }
        filled
    }

    /// Adds an item.
    pub(crate) fn push(&mut self, item: Bytes) {
        if item.len() >= LARGE || self.credit.is_none() {
            self.large = Some(item);
            return;
        }
        let end = self.begin();
        self.buffer.extend_from_slice(&item);
        self.finish(end);
    }

    /// Makes room for a length.
    #[inline]
    fn begin(&mut self) -> usize {
        self.buffer.truncate(self.end);
        if self.buffer.capacity() == 0 {
            self.buffer.reserve(self.expected);
        }
        self.buffer.extend_from_slice(&[0; LENGTH]);
        self.buffer.len()
    }

    /// Completes the item that begins there.
    #[inline]
    fn finish(&mut self, start: usize) {
        let length = self.buffer.len() - start;
        if length >= LARGE {
            return self.cut(start);
        }
        // It is less than LARGE.
        self.buffer[self.end..start].copy_from_slice(&(length as u32).to_be_bytes());
        self.end = self.buffer.len();
        self.items += 1;
    }

    /// Adds an item that `write` appends to what it is given.
    ///
    /// # Errors
    /// As `write`; the item is then none.
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
        let start = self.begin();
        write(&mut self.buffer)?;
        self.finish(start);
        Ok(())
    }

    /// Takes the last item out, by copying the smaller ones before it.
    fn cut(&mut self, start: usize) {
        let before = self.buffer[..self.end].to_vec();
        let all = std::mem::replace(&mut self.buffer, before);
        self.large = Some(Bytes::from(all).slice(start..));
    }

    /// What travels next; `None` when it is empty.
    pub(crate) fn take(&mut self) -> Option<Chunk> {
        let chunk = match self.items {
            0 => self.large.take().map(Chunk::One),
            _ => Some(self.take_whole()),
        };
        self.taken = chunk.iter().map(Chunk::amount).fold(self.taken, Amount::plus);
        chunk
    }

    fn take_whole(&mut self) -> Chunk {
        let items = std::mem::take(&mut self.items);
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.truncate(std::mem::take(&mut self.end));
        if items == 1 {
            // There was room for as many as the last time.
            buffer.shrink_to_fit();
        }
        self.expected = if items == 1 { LONE } else { buffer.len() * 5 / 4 };
        let bytes = Bytes::from(buffer);
        match items {
            1 => Chunk::One(bytes.slice(LENGTH..)),
            _ => Chunk::Many(Items::new(bytes, items)),
        }
    }
}
