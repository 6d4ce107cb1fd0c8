//! Typed events on the way in: options, handlers, counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::BoxFuture;
use micro_core::rpc::is_reserved;
use micro_core::{Codec, Context, Error, Event, Headers, Payload, Result, Status, SubscribeOptions};

pub(crate) const CONTENT_TYPE: &str = "Content-Type";
pub(crate) const TOPIC: &str = "Micro-Topic";
pub(crate) const ID: &str = "Micro-ID";

/// How a service subscribes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SubscriberOptions {
    /// The queue group: each event goes to one of its members. Default: none, so every instance gets every event.
    pub queue: Option<String>,
    /// How many events wait for a slow handler before more are dropped and counted. Default: 1,024.
    pub capacity: usize,
    /// How many events are handled at once. Default: 1, so they are handled in the order in which they came.
    pub concurrency: usize,
}

impl Default for SubscriberOptions {
    fn default() -> Self {
        SubscriberOptions {
            queue: None,
            capacity: 1024,
            concurrency: 1,
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

    /// Handles up to this many events at once, in no order.
    #[must_use]
    pub fn with_concurrency(mut self, events: usize) -> Self {
        self.concurrency = events.max(1);
        self
    }

    pub(crate) fn subscribe(&self) -> SubscribeOptions {
        let options = SubscribeOptions::default().with_capacity(self.capacity);
        match &self.queue {
            Some(queue) => options.with_queue(queue),
            None => options,
        }
    }
}

/// What became of the events that a service subscribed to. Each event is in exactly one count; `gaps` counts no
/// events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventCounts {
    /// Their handler succeeded.
    pub handled: u64,
    /// Their handler answered an error, or panicked.
    pub failed: u64,
    /// They could not be decoded, so no handler ran.
    pub undecodable: u64,
    /// They were dropped because their handler was too slow.
    pub lost: u64,
    /// A stop cut them off: their handler was ended, or never began.
    pub cut: u64,
    /// How many times the connection was away for a while; an unknown number of events may be missing each time.
    pub gaps: u64,
}

/// The counts, as the subscriptions of one service keep them.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) handled: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) undecodable: AtomicU64,
    pub(crate) lost: AtomicU64,
    pub(crate) cut: AtomicU64,
    pub(crate) gaps: AtomicU64,
}

impl Counters {
    pub(crate) fn read(&self) -> EventCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        EventCounts {
            handled: read(&self.handled),
            failed: read(&self.failed),
            undecodable: read(&self.undecodable),
            lost: read(&self.lost),
            cut: read(&self.cut),
            gaps: read(&self.gaps),
        }
    }
}

/// Why an event came to nothing.
pub(crate) enum Failure {
    Undecodable(Error),
    Handler(Status),
}

impl Failure {
    pub(crate) fn status(&self) -> Status {
        match self {
            Failure::Undecodable(error) => Status::new(error.kind().into(), error.to_string()),
            Failure::Handler(status) => status.clone(),
        }
    }
}

/// A handler of events, whatever its type.
pub(crate) type Handler =
    Arc<dyn Fn(Context, Event) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// A handler of typed events. An event without a content type is in the codec of that type.
pub(crate) fn typed<E, F, Fut>(function: F) -> Handler
where
    E: Payload,
    F: Fn(Context, E) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Status>> + Send + 'static,
{
    Arc::new(move |context, event| match decode(event) {
        Ok(event) => handled(function(context, event)),
        Err(error) => Box::pin(std::future::ready(Err(Failure::Undecodable(error)))),
    })
}

/// A handler of events as they come.
pub(crate) fn raw<F, Fut>(function: F) -> Handler
where
    F: Fn(Context, Event) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Status>> + Send + 'static,
{
    Arc::new(move |context, event| handled(function(context, event)))
}

fn handled(
    work: impl Future<Output = Result<(), Status>> + Send + 'static,
) -> BoxFuture<'static, Result<(), Failure>> {
    Box::pin(async { work.await.map_err(Failure::Handler) })
}

fn decode<E: Payload>(event: Event) -> Result<E> {
    let codec = match event.headers().get(CONTENT_TYPE) {
        Some(content_type) => Codec::of(content_type)?,
        None => E::CODEC,
    };
    E::decode(codec, event.message.body)
}

/// The publisher's own headers.
pub(crate) fn metadata(headers: &Headers) -> Headers {
    headers
        .iter()
        .filter(|(name, _)| !is_reserved(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
