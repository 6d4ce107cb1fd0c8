//! A subscription as a stream, with a queue of its own.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_nats::Message;
use futures::{Stream, StreamExt};
use micro_core::{Result, queue};

use crate::connection::Connection;
use crate::consumer::{Consumer, Incoming};
use crate::errors;
use crate::pump::Pump;

/// A subscription: a stream of messages. It holds its connection.
///
/// Messages are taken from the connection as they come, and wait here, as many as its capacity allows; more are
/// dropped for this feed only, and its next item says how many ([`Lagged`](micro_core::ErrorKind::Lagged)).
///
/// A lost connection is told by [`Unavailable`](micro_core::ErrorKind::Unavailable) (messages may have been
/// lost; the subscription is made again by itself), a subject refused later by
/// [`PermissionDenied`](micro_core::ErrorKind::PermissionDenied). Neither ends the stream.
///
/// Dropping it unsubscribes.
#[derive(Debug)]
pub struct Feed {
    queue: queue::Receiver<Result<Message>>,
    pump: Pump,
}

impl Feed {
    /// What it is subscribed to.
    pub fn subject(&self) -> &str {
        self.pump.subject()
    }

    /// Leaves without losing what the server has sent, or is sending: when this returns, the server sends nothing
    /// more, and the stream hands out what waits and then ends.
    ///
    /// # Errors
    /// [`Unavailable`](micro_core::ErrorKind::Unavailable) when the connection is down: the subscription is given
    /// up all the same.
    ///
    /// # Cancel safety
    /// May be awaited again; what the server sends meanwhile is handed out.
    pub async fn leave(&mut self) -> Result<()> {
        self.pump.leave(None).await
    }
}

impl Stream for Feed {
    type Item = Result<Message>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.queue
            .poll_next_unpin(context)
            .map(|item| item.map(|item| item.and_then(|message| message)))
    }
}

/// The writing end of a feed's queue. It is closed when the subscription ends.
struct Writer {
    subject: String,
    group: Option<String>,
    queue: parking_lot::Mutex<Option<queue::Sender<Result<Message>>>>,
}

impl Writer {
    fn push(&self, item: Result<Message>) {
        if let Some(queue) = self.queue.lock().as_ref() {
            queue.push(item);
        }
    }

    fn note_lost(&self, count: u64) {
        if let Some(queue) = self.queue.lock().as_ref() {
            queue.note_lost(count);
        }
    }
}

impl Consumer for Writer {
    fn take(&self, incoming: Incoming) {
        match incoming {
            Incoming::Message(message) => self.push(Ok(message)),
            Incoming::Lost(count) => self.note_lost(count),
            Incoming::Disconnected => self.push(Err(errors::disconnected())),
            Incoming::Denied(denial) if denial.ends(&self.subject, self.group.as_deref()) => {
                self.push(Err(denial.error()));
            }
            Incoming::Ended => drop(self.queue.lock().take()),
            // Nothing is published with this subject as its reply, and other refusals concern others.
            Incoming::NoResponders | Incoming::Denied(_) => {}
        }
    }
}

impl Connection {
    /// Subscribes, in a queue group or for itself. When this returns, the next message arrives.
    ///
    /// At most `capacity` messages wait for a slow reader.
    ///
    /// # Errors
    /// As [`pump`](Connection::pump).
    ///
    /// # Cancel safety
    /// Dropping the future leaves no subscription behind.
    pub async fn subscribe(
        self: &Arc<Self>,
        subject: &str,
        queue: Option<&str>,
        capacity: usize,
    ) -> Result<Feed> {
        let (sender, receiver) = queue::bounded(capacity);
        let writer = Arc::new(Writer {
            subject: subject.to_owned(),
            group: queue.map(str::to_owned),
            queue: Some(sender).into(),
        });
        Ok(Feed {
            queue: receiver,
            pump: self.pump(subject, queue, writer).await?,
        })
    }
}
