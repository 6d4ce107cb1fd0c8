//! How a service subscribes.

use std::fmt;

use micro_core::broker::Overflow;
use micro_core::{Context, SubscribeOptions};

use super::failed::{self, FailedEvent, FailureHandler};

/// How a service subscribes.
#[derive(Clone)]
#[non_exhaustive]
pub struct SubscriberOptions {
    /// The queue group: each event goes to one of its members. Default: none, so every instance gets every event.
    pub queue: Option<String>,
    /// How many events wait for a slow handler before the subscription overflows. Default: 1,024.
    pub capacity: usize,
    /// What then becomes of those that come. Default: they are dropped and counted.
    pub overflow: Overflow,
    /// How many events are handled at once. Default: 1, so they are handled in the order in which they came.
    pub concurrency: usize,
    /// Whether an event whose handler failed has to come again. Default: no.
    pub redelivery: bool,
    pub(crate) error_handler: Option<FailureHandler>,
}

impl Default for SubscriberOptions {
    fn default() -> Self {
        let SubscribeOptions {
            queue,
            capacity,
            overflow,
            ..
        } = SubscribeOptions::default();
        SubscriberOptions {
            queue,
            capacity,
            overflow,
            concurrency: 1,
            redelivery: false,
            error_handler: None,
        }
    }
}

impl SubscriberOptions {
    /// Joins a queue group.
    #[must_use]
    pub fn with_queue(mut self, queue: impl Into<String>) -> Self {
        self.queue = Some(queue.into());
        self
    }

    /// Bounds the events that wait.
    #[must_use]
    pub fn with_capacity(mut self, events: usize) -> Self {
        self.capacity = events;
        self
    }

    /// Says what becomes of events that are too many: an instance that is full can leave its queue group, so that others
    /// get its share, and come back ([`Overflow::Pause`]).
    ///
    /// With a broker that cannot do it, the service does not start.
    #[must_use]
    pub fn with_overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// Handles up to this many events at once, in no order.
    #[must_use]
    pub fn with_concurrency(mut self, events: usize) -> Self {
        self.concurrency = events.max(1);
        self
    }

    /// Needs a broker that delivers an event again whose handler failed; with one that cannot, the service does not start.
    ///
    /// Neither memory nor core NATS can: they deliver at most once. What their handlers fail on is told to the
    /// [error handler](SubscriberOptions::with_error_handler), and not delivered again.
    #[must_use]
    pub fn with_redelivery(mut self) -> Self {
        self.redelivery = true;
        self
    }

    /// Tells this function of events that come to nothing: because they cannot be decoded, or because their handler
    /// fails or panics. They are logged and counted all the same.
    ///
    /// It runs in the place of the handler, and the next event waits for it. Without one, that of
    /// [the service](crate::ServiceBuilder::on_event_error) is told.
    #[must_use]
    pub fn with_error_handler<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(Context, FailedEvent) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.error_handler = Some(failed::handler(handler));
        self
    }

    pub(crate) fn subscribe(&self) -> SubscribeOptions {
        let options = SubscribeOptions::default()
            .with_capacity(self.capacity)
            .with_overflow(self.overflow);
        match &self.queue {
            Some(queue) => options.with_queue(queue),
            None => options,
        }
    }
}

impl fmt::Debug for SubscriberOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriberOptions")
            .field("queue", &self.queue)
            .field("capacity", &self.capacity)
            .field("overflow", &self.overflow)
            .field("concurrency", &self.concurrency)
            .field("redelivery", &self.redelivery)
            .field("error_handler", &self.error_handler.is_some())
            .finish()
    }
}
