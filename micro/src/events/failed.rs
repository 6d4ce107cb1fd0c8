//! Events that came to nothing, and who is told.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use micro_core::{Context, Error, Event, Status};

use super::panic::words;

/// An event that came to nothing: what it was, and why.
///
/// It is what an [error handler](crate::SubscriberOptions::with_error_handler) gets: to tell somebody, or to publish
/// the event elsewhere, for somebody to look at.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FailedEvent {
    /// The event as it came, undecoded.
    pub event: Event,
    /// Why it came to nothing.
    pub failure: EventFailure,
}

/// Why an event came to nothing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EventFailure {
    /// It could not be decoded, so no handler ran: [`Malformed`](crate::ErrorKind::Malformed) bytes, or a content
    /// type that nobody knows or the type does not speak, [`Unsupported`](crate::ErrorKind::Unsupported).
    Undecodable(Arc<Error>),
    /// Its handler answered an error.
    Failed(Status),
    /// Its handler panicked, and said this.
    Panicked(String),
}

impl EventFailure {
    /// The same as a status.
    pub fn status(&self) -> Status {
        match self {
            EventFailure::Undecodable(error) => Status::new(error.kind().into(), error.to_string()),
            EventFailure::Failed(status) => status.clone(),
            EventFailure::Panicked(words) => Status::internal(format!("the handler panicked: {words}")),
        }
    }
}

/// Who is told of failed events.
pub(crate) type FailureHandler = Arc<dyn Fn(Context, FailedEvent) -> BoxFuture<'static, ()> + Send + Sync>;

/// A handler of failed events. When it panics, that is logged, and no more.
pub(crate) fn handler<F, Fut>(function: F) -> FailureHandler
where
    F: Fn(Context, FailedEvent) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let function = Arc::new(function);
    Arc::new(move |context, failed| {
        let function = function.clone();
        Box::pin(async move {
            let topic = failed.event.topic.clone();
            let told = AssertUnwindSafe(async { function(context, failed).await });
            if let Err(panic) = told.catch_unwind().await {
                let panic = words(&*panic);
                tracing::error!(%topic, panic, "the handler of failed events panicked");
            }
        })
    })
}
