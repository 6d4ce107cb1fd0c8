//! What the two ends of a queue share.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::Level;
use crate::error::{Error, Result};

/// For how many items an empty queue keeps room.
const KEPT: usize = 1024;

/// One lock for all: each item takes it twice, for a moment, and wakes the reader only where that waits.
pub(super) struct Shared<T> {
    pub(super) state: Mutex<State<T>>,
    /// Counts under a lock of its own, which is taken first.
    pub(super) level: Option<Level>,
    /// Told when the reader is gone.
    pub(super) left: Notify,
}

impl<T> Shared<T> {
    pub(super) fn waiting(&self) -> usize {
        self.state.lock().counted
    }
}

pub(super) struct State<T> {
    pub(super) items: VecDeque<T>,
    pub(super) capacity: usize,
    /// Whether an item counts for the level.
    counts: fn(&T) -> bool,
    /// How many of the items do.
    counted: usize,
    pub(super) lost: u64,
    pub(super) senders: usize,
    /// Nothing more is taken.
    pub(super) closed: bool,
    pub(super) reader: Option<Waker>,
}

impl<T> State<T> {
    pub(super) fn new(capacity: usize, counts: fn(&T) -> bool) -> Self {
        State {
            items: VecDeque::new(),
            capacity: capacity.max(1),
            counts,
            counted: 0,
            lost: 0,
            senders: 1,
            closed: false,
            reader: None,
        }
    }

    pub(super) fn add(&mut self, item: T) {
        self.counted += usize::from((self.counts)(&item));
        self.items.push_back(item);
    }

    pub(super) fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Option<Result<T>>> {
        match std::mem::take(&mut self.lost) {
            0 => {}
            lost => return Poll::Ready(Some(Err(Error::lagged(lost)))),
        }
        if let Some(item) = self.items.pop_front() {
            self.counted -= usize::from((self.counts)(&item));
            if self.items.is_empty() && self.items.capacity() > KEPT {
                self.items = VecDeque::new();
            }
            return Poll::Ready(Some(Ok(item)));
        }
        if !self.is_open() {
            return Poll::Ready(None);
        }
        match &mut self.reader {
            Some(reader) => reader.clone_from(cx.waker()),
            None => self.reader = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Whether more may come.
    fn is_open(&self) -> bool {
        self.senders > 0 && !self.closed
    }
}
