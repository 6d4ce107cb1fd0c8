//! A bounded queue that never stalls its writer and never loses in silence.
//!
//! What is pushed onto a full queue is dropped for this reader only, and the reader's next item says how many
//! were lost. Brokers and watchers hand out what they receive through one of these.

mod level;
mod state;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use futures::Stream;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::coop::poll_proceed;

use crate::error::Result;

pub use level::Level;
use state::{Shared, State};

/// A queue of at most `capacity` items (at least one).
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    open(State::new(capacity, |_| false), None)
}

/// A queue that is full when `high` items wait (at least one), which its [`Level`] tells, and takes `reserve` more before
/// it drops any: for a writer that can stop what comes, but not at once. Only items that it `counts` make it full.
pub fn leveled<T>(high: usize, reserve: usize, counts: fn(&T) -> bool) -> (Sender<T>, Receiver<T>) {
    let capacity = high.max(1).saturating_add(reserve);
    open(State::new(capacity, counts), Some(Level::new(high)))
}

fn open<T>(state: State<T>, level: Option<Level>) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared {
        state: Mutex::new(state),
        level,
        left: Notify::new(),
    });
    (Sender(shared.clone()), Receiver(shared))
}

/// The end that pushes.
pub struct Sender<T>(Arc<Shared<T>>);

/// What became of a pushed item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It waits for the reader.
    Queued,
    /// The queue was full: it was dropped, and the reader will be told.
    Dropped,
    /// The reader is gone.
    Closed,
}

impl<T> Sender<T> {
    /// Queues the item, or drops and counts it. Never waits.
    pub fn push(&self, item: T) -> Pushed {
        let mut state = self.0.state.lock();
        if state.closed {
            return Pushed::Closed;
        }
        if state.items.len() >= state.capacity {
            state.lost += 1;
            return Pushed::Dropped;
        }
        state.add(item);
        let reader = state.reader.take();
        drop(state);
        wake(reader);
        if let Some(level) = &self.0.level {
            level.rose(|| self.0.waiting());
        }
        Pushed::Queued
    }

    /// Tells the reader of losses that happened before this queue.
    ///
    /// A reader that waits on an empty queue learns of them with the next item.
    pub fn note_lost(&self, count: u64) {
        self.0.state.lock().lost += count;
    }

    /// Whether so many items wait that its [`Level`] is full; never without one.
    pub fn is_full(&self) -> bool {
        self.0.level.as_ref().is_some_and(Level::is_full)
    }

    /// Waits until its [`Level`] is full; for ever without one.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn until_full(&self) {
        match &self.0.level {
            Some(level) => level.until_full().await,
            None => std::future::pending().await,
        }
    }

    /// Waits until its [`Level`] is not full, or the reader is gone.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn until_read(&self) {
        if let Some(level) = &self.0.level {
            tokio::select! {
                () = level.until_read() => {}
                () = self.closed() => {}
            }
        }
    }

    /// Whether the reader is gone.
    pub fn is_closed(&self) -> bool {
        self.0.state.lock().closed
    }

    /// Waits until the reader is gone.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn closed(&self) {
        let mut left = std::pin::pin!(self.0.left.notified());
        // Before it is looked at, so that no word is missed in between.
        left.as_mut().enable();
        if !self.is_closed() {
            left.await;
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.state.lock().senders += 1;
        Sender(self.0.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.senders -= 1;
        let reader = if state.senders == 0 {
            state.reader.take()
        } else {
            None
        };
        drop(state);
        wake(reader);
    }
}

/// The end that reads: a stream of items, with [`ErrorKind::Lagged`](crate::ErrorKind::Lagged) where some were lost.
///
/// Ends when every sender is gone and the queue is empty.
pub struct Receiver<T>(Arc<Shared<T>>);

impl<T> Receiver<T> {
    /// Takes nothing more; what is queued can still be read.
    pub fn close(&mut self) {
        self.0.state.lock().closed = true;
        self.0.left.notify_waiters();
    }

    /// How full it is, of a queue that has a level.
    pub fn level(&self) -> Option<Level> {
        self.0.level.clone()
    }
}

impl<T> Stream for Receiver<T> {
    type Item = Result<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // A reader that never waits must give way to others all the same.
        let progress = ready!(poll_proceed(cx));
        let next = ready!(self.0.state.lock().poll_next(cx));
        progress.made_progress();
        if let (Some(level), Some(Ok(_))) = (&self.0.level, &next) {
            level.sank(|| self.0.waiting());
        }
        Poll::Ready(next)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.close();
        // Without the lock: what is dropped may have a sender of its own.
        let unread = std::mem::take(&mut self.0.state.lock().items);
        drop(unread);
    }
}

fn wake(reader: Option<Waker>) {
    if let Some(waker) = reader {
        waker.wake();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver")
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;

    #[tokio::test]
    async fn overflow_is_dropped_and_told_to_the_reader() {
        let (sender, mut receiver) = bounded(2);
        assert_eq!([1, 2, 3, 4].map(|n| sender.push(n)).to_vec(), {
            use Pushed::{Dropped, Queued};
            [Queued, Queued, Dropped, Dropped]
        });
        assert_eq!(receiver.next().await.unwrap().unwrap_err().lost(), Some(2));
        assert_eq!(receiver.next().await.unwrap().unwrap(), 1);
        assert_eq!(receiver.next().await.unwrap().unwrap(), 2);
        drop(sender);
        assert!(receiver.next().await.is_none());
    }

    #[tokio::test]
    async fn a_reader_that_waits_is_woken_by_an_item_and_by_the_end() {
        let (sender, mut receiver) = bounded(2);
        let reader = tokio::spawn(async move { (receiver.next().await, receiver.next().await) });
        tokio::task::yield_now().await;
        let other = sender.clone();
        assert_eq!(other.push(1), Pushed::Queued);
        drop(other);
        tokio::task::yield_now().await;
        drop(sender);
        let (item, end) = reader.await.unwrap();
        assert_eq!(item.unwrap().unwrap(), 1);
        assert!(end.is_none());
    }

    #[tokio::test]
    async fn a_closed_queue_is_read_to_its_end() {
        let (sender, mut receiver) = bounded(2);
        sender.push(1);
        sender.note_lost(3);
        receiver.close();
        assert_eq!(sender.push(2), Pushed::Closed);
        assert_eq!(receiver.next().await.unwrap().unwrap_err().lost(), Some(3));
        assert_eq!(receiver.next().await.unwrap().unwrap(), 1);
        assert!(receiver.next().await.is_none());
    }

    #[tokio::test]
    async fn the_sender_learns_that_the_reader_is_gone() {
        let (sender, receiver) = bounded(1);
        drop(receiver);
        assert_eq!(sender.push(1), Pushed::Closed);
    }
}
