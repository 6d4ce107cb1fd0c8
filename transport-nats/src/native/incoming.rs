//! What comes in on one end of a socket: checked, and kept until it is read.

use std::sync::Arc;

use micro_core::Error;

use super::spare::Spare;
use super::window::Window;
use crate::ending::{Ending, Entry, Step};

mod item;
mod news;
mod pieces;
mod take;
#[cfg(test)]
mod tests;
mod waiting;

pub(crate) use item::{Item, What};
pub(crate) use news::{News, Way};
use pieces::Pieces;
use waiting::Waiting;

/// The receiving side of one end.
#[derive(Debug)]
pub(crate) struct Incoming {
    queue: Waiting,
    /// The number of the next packet.
    expected: u64,
    window: Window,
    /// The largest content of a message.
    max_content: u64,
    pieces: Option<Pieces>,
    /// Where the memory of large messages is from.
    spare: Arc<Spare>,
    /// Whether the reader is at work on something that it was given.
    lent: bool,
    pub(crate) ending: Ending,
}

/// What the reader finds.
#[derive(Debug)]
pub(crate) enum Next {
    /// Something to read.
    Item(Item),
    /// Nothing yet.
    Wait,
    /// What reached nobody has to be found out.
    Settle,
    /// The reason for an end.
    Error(Error),
    /// The end.
    End,
}

impl From<Step> for Next {
    fn from(step: Step) -> Self {
        match step {
            Step::Wait => Next::Wait,
            Step::Settle => Next::Settle,
            Step::Error(error) => Next::Error(error),
            Step::End => Next::End,
        }
    }
}

impl Incoming {
    pub(crate) fn new(window: u64, max_content: u64, spare: &Arc<Spare>) -> Self {
        Incoming {
            queue: Waiting::default(),
            expected: 0,
            window: Window::new(window),
            max_content,
            pieces: None,
            spare: spare.clone(),
            lent: false,
            ending: Ending::default(),
        }
    }

    fn push(&mut self, item: Item) {
        if self.ending.entry() == Entry::Open {
            self.queue.push(item);
        }
    }

    /// What the reader gets, who is done with what cost `done`; and how far the other end may send, when it has to be
    /// told.
    pub(crate) fn next(&mut self, done: u64) -> (Next, Option<u64>) {
        let mut done = done;
        let item = self.queue.pop();
        self.lent = item.is_some();
        if let (None, Some(pieces)) = (&item, &mut self.pieces) {
            done += std::mem::take(&mut pieces.held);
        }
        let grant = match done {
            0 => None,
            done => self.consume(done),
        };
        match item {
            Some(item) => (Next::Item(item), grant),
            None => (self.ending.step().into(), grant),
        }
    }

    /// Something of that cost does not wait any more.
    fn consume(&mut self, cost: u64) -> Option<u64> {
        let pieces = self.pieces.as_ref().filter(|_| self.is_read());
        self.window
            .consume(cost, pieces.map_or(0, |pieces| pieces.missing))
    }

    /// Whether nothing waits, and the reader is done with what it was given.
    fn is_read(&self) -> bool {
        self.queue.is_empty() && !self.lent
    }

    /// The reader leaves; whether the writer has to be told.
    pub(crate) fn abandon(&mut self, unread: bool) -> bool {
        let waiting = std::mem::take(&mut self.queue).messages();
        if let Some(pieces) = &mut self.pieces {
            pieces.forget();
        }
        self.ending.abandon() || unread || waiting > 0
    }

    /// Whether a reader would find something.
    pub(crate) fn has_something(&self) -> bool {
        !self.queue.is_empty()
    }

    /// How many packets have come, and how far the other end may send.
    pub(crate) fn taken(&self) -> (u64, u64) {
        (self.expected, self.window.granted())
    }

    /// Whether an end that was told nothing may soon have to wait for it.
    pub(crate) fn is_news(&self) -> bool {
        self.window.is_news()
    }
}
