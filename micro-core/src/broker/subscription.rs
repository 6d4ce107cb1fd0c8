//! What a subscriber holds.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::Stream;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt};

use super::Event;
use crate::error::Result;
use crate::observe::{Ledger, Losses};
use crate::queue::Level;

/// A subscription: a stream of events.
///
/// An error in it does not end it: [`Lagged`](crate::ErrorKind::Lagged) says how many events were lost to this
/// subscriber, [`Malformed`](crate::ErrorKind::Malformed) that something arrived that cannot be read,
/// [`Unavailable`](crate::ErrorKind::Unavailable) that the connection was lost for a while and events may be missing,
/// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) that the server refuses it since then: it hears nothing until
/// it is made anew, ahead of which `Unavailable` comes again. Dropping it unsubscribes.
pub struct Subscription {
    topic: String,
    /// `None` where another subscription counts.
    ledger: Option<Ledger>,
    /// `None` where it never pauses.
    level: Option<Level>,
    events: BoxStream<'static, Result<Event>>,
    leave: Option<BoxFuture<'static, Result<()>>>,
}

impl Subscription {
    /// For backends: `events` unsubscribes when dropped; `leave` is awaited at most once, and resolves when nothing
    /// more will be queued, after which `events` ends.
    pub fn new(
        topic: impl Into<String>,
        events: impl Stream<Item = Result<Event>> + Send + 'static,
        leave: impl Future<Output = Result<()>> + Send + 'static,
    ) -> Self {
        let topic = topic.into();
        Subscription {
            ledger: Some(Ledger::new(&topic)),
            topic,
            level: None,
            events: events.boxed(),
            leave: Some(Box::pin(leave)),
        }
    }

    /// The topic, as it was subscribed to.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// For backends that stand in front of another: what is lost is counted once, by the subscription that the user has.
    #[must_use]
    pub fn uncounted(mut self) -> Self {
        self.ledger = None;
        self
    }

    /// For backends: it pauses whenever its queue is full, as this tells; never without one.
    #[must_use]
    pub fn with_level(mut self, level: Option<Level>) -> Self {
        self.level = level;
        self
    }

    /// Whether it pauses, and how often it did; `None` where it never does. Can be looked at while somebody else reads the
    /// events.
    pub fn level(&self) -> Option<&Level> {
        self.level.as_ref()
    }

    /// How many times it has left its queue group because it was full: see [`Overflow::Pause`](super::Overflow::Pause).
    pub fn pauses(&self) -> u64 {
        self.level.as_ref().map_or(0, Level::times)
    }

    /// What was lost to this subscriber, by cause, as far as [`recv`](Subscription::recv) has told.
    pub fn losses(&self) -> Losses {
        self.ledger.as_ref().map(Ledger::read).unwrap_or_default()
    }

    /// The counts themselves, which can be looked at while somebody else reads the events.
    pub fn ledger(&self) -> Option<&Ledger> {
        self.ledger.as_ref()
    }

    /// Waits for the next event; `None` when the subscription has ended.
    ///
    /// # Errors
    /// As the type says; each is counted in [`losses`](Subscription::losses). More events may follow.
    ///
    /// # Cancel safety
    /// Safe: an event is either returned or still queued.
    pub async fn recv(&mut self) -> Option<Result<Event>> {
        self.next().await
    }

    /// Takes no new events; those delivered before are still handed out, and then the stream ends.
    ///
    /// # Errors
    /// What the backend met while leaving; the subscription is given up all the same.
    ///
    /// # Cancel safety
    /// May be awaited again.
    pub async fn drain(&mut self) -> Result<()> {
        match &mut self.leave {
            Some(leave) => {
                let result = leave.await;
                self.leave = None;
                result
            }
            None => Ok(()),
        }
    }

    /// Ends the subscription: nothing is handed out after.
    ///
    /// # Errors
    /// What the backend met while leaving; the subscription is given up all the same.
    ///
    /// # Cancel safety
    /// Dropping the future drops the subscription.
    pub async fn unsubscribe(mut self) -> Result<()> {
        self.drain().await
    }
}

impl Stream for Subscription {
    type Item = Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.events.poll_next_unpin(cx));
        if let (Some(Err(error)), Some(ledger)) = (&next, &self.ledger) {
            ledger.note_error(error);
        }
        Poll::Ready(next)
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}
