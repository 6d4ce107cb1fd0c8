//! A bounded queue that never stalls its writer and never loses in silence.
//!
//! What is pushed onto a full queue is dropped for this reader only, and the reader's next item says how many
//! were lost. Brokers and watchers hand out what they receive through one of these.

mod level;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use futures::Stream;
use tokio::sync::mpsc;

use crate::error::{Error, Result};

pub use level::Level;

/// A queue of at most `capacity` items (at least one).
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    open(capacity, None)
}

/// A queue that is full when `high` items wait (at least one), which its [`Level`] tells, and takes `reserve` more before
/// it drops any: for a writer that can stop what comes, but not at once.
pub fn leveled<T>(high: usize, reserve: usize) -> (Sender<T>, Receiver<T>) {
    open(high.max(1).saturating_add(reserve), Some(Level::new(high)))
}

fn open<T>(capacity: usize, level: Option<Level>) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = mpsc::channel(capacity.max(1));
    let lost = Arc::new(AtomicU64::new(0));
    let sender = Sender {
        sender,
        lost: lost.clone(),
        level: level.clone(),
    };
    (
        sender,
        Receiver {
            receiver,
            lost,
            level,
        },
    )
}

/// The end that pushes.
#[derive(Debug)]
pub struct Sender<T> {
    sender: mpsc::Sender<T>,
    lost: Arc<AtomicU64>,
    level: Option<Level>,
}

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
        match self.sender.try_send(item) {
            Ok(()) => {
                if let Some(level) = &self.level {
                    level.rose(|| self.sender.max_capacity() - self.sender.capacity());
                }
                Pushed::Queued
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Pushed::Closed,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.note_lost(1);
                Pushed::Dropped
            }
        }
    }

    /// Tells the reader of losses that happened before this queue.
    ///
    /// A reader that waits on an empty queue learns of them with the next item.
    pub fn note_lost(&self, count: u64) {
        self.lost.fetch_add(count, Ordering::Relaxed);
    }

    /// Whether so many items wait that its [`Level`] is full; never without one.
    pub fn is_full(&self) -> bool {
        self.level.as_ref().is_some_and(Level::is_full)
    }

    /// Waits until its [`Level`] is full; for ever without one.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn until_full(&self) {
        match &self.level {
            Some(level) => level.until_full().await,
            None => std::future::pending().await,
        }
    }

    /// Waits until its [`Level`] is not full, or the reader is gone.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn until_read(&self) {
        if let Some(level) = &self.level {
            tokio::select! {
                () = level.until_read() => {}
                () = self.closed() => {}
            }
        }
    }

    /// Whether the reader is gone.
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Waits until the reader is gone.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn closed(&self) {
        self.sender.closed().await;
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender {
            sender: self.sender.clone(),
            lost: self.lost.clone(),
            level: self.level.clone(),
        }
    }
}

/// The end that reads: a stream of items, with [`ErrorKind::Lagged`](crate::ErrorKind::Lagged) where some were lost.
///
/// Ends when every sender is gone and the queue is empty.
#[derive(Debug)]
pub struct Receiver<T> {
    receiver: mpsc::Receiver<T>,
    lost: Arc<AtomicU64>,
    level: Option<Level>,
}

impl<T> Receiver<T> {
    /// Takes nothing more; what is queued can still be read.
    pub fn close(&mut self) {
        self.receiver.close();
    }

    /// How full it is, of a queue that has a level.
    pub fn level(&self) -> Option<Level> {
        self.level.clone()
    }

    fn take_lost(&self) -> Option<Error> {
        match self.lost.swap(0, Ordering::Relaxed) {
            0 => None,
            count => Some(Error::lagged(count)),
        }
    }
}

impl<T> Stream for Receiver<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(error) = self.take_lost() {
            return Poll::Ready(Some(Err(error)));
        }
        match ready!(self.receiver.poll_recv(context)) {
            Some(item) => {
                if let Some(level) = &self.level {
                    level.sank(|| self.receiver.len());
                }
                Poll::Ready(Some(Ok(item)))
            }
            None => Poll::Ready(self.take_lost().map(Err)),
        }
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
    async fn the_sender_learns_that_the_reader_is_gone() {
        let (sender, receiver) = bounded(1);
        drop(receiver);
        assert_eq!(sender.push(1), Pushed::Closed);
    }
}
