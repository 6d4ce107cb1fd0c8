//! A reply subject as a stream, with a queue of its own.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_nats::{Message, Subject};
use futures::{Stream, StreamExt};
use micro_core::{Result, queue};

use crate::connection::Connection;
use crate::consumer::{Consumer, DeniedAction, Incoming};
use crate::errors;
use crate::inbox::Slot;

/// A reply subject of one's own: a stream of what comes back. It holds its connection.
///
/// At most its capacity waits for a slow reader; more is dropped for this mailbox only, and its next item says how
/// many ([`Lagged`](micro_core::ErrorKind::Lagged)). A lost connection is told by
/// [`Unavailable`](micro_core::ErrorKind::Unavailable): what was asked may not be answered any more.
/// [`PermissionDenied`](micro_core::ErrorKind::PermissionDenied) names a subject that this connection may not
/// publish to; it is told to every mailbox, since any of them may have asked there.
#[derive(Debug)]
pub struct Mailbox {
    slot: Slot,
    queue: queue::Receiver<Result<Delivery>>,
}

/// What comes back.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// An answer.
    Message(Message),
    /// A message published with this reply subject reached nobody.
    NoResponders,
}

impl Mailbox {
    /// Where to reply to.
    pub fn subject(&self) -> &Subject {
        self.slot.subject()
    }
}

impl Stream for Mailbox {
    type Item = Result<Delivery>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.queue
            .poll_next_unpin(context)
            .map(|item| item.map(|item| item.and_then(|delivery| delivery)))
    }
}

struct Writer(queue::Sender<Result<Delivery>>);

impl Consumer for Writer {
    fn take(&self, incoming: Incoming) {
        match incoming {
            Incoming::Message(message) => drop(self.0.push(Ok(Delivery::Message(message)))),
            Incoming::NoResponders => drop(self.0.push(Ok(Delivery::NoResponders))),
            Incoming::Lost(count) => self.0.note_lost(count),
            Incoming::Disconnected => drop(self.0.push(Err(errors::disconnected()))),
            Incoming::Denied(denial) if denial.action == DeniedAction::Publish => {
                self.0.push(Err(denial.error()));
            }
            Incoming::Ended => drop(self.0.push(Err(errors::ended()))),
            Incoming::Denied(_) => {}
        }
    }
}

impl Connection {
    /// A reply subject, under the connection's one wildcard subscription: nothing is sent to open it.
    ///
    /// At most `capacity` items wait for a slow reader.
    pub fn mailbox(self: &Arc<Self>, capacity: usize) -> Mailbox {
        let (sender, receiver) = queue::bounded(capacity);
        Mailbox {
            slot: self.slot(Arc::new(Writer(sender))),
            queue: receiver,
        }
    }
}
