//! Handlers of events, whatever their types.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use micro_core::{Codec, Context, Event, Payload, Result, Status};

use super::CONTENT_TYPE;
use super::failed::EventFailure;
use super::panic::words;

/// A handler of events, whatever its type. It never panics.
pub(crate) type Handler =
    Arc<dyn Fn(Context, Event) -> BoxFuture<'static, Result<(), EventFailure>> + Send + Sync>;

/// A handler of typed events. An event without a content type is in the codec of that type.
pub(crate) fn typed<E, F, Fut>(function: F) -> Handler
where
    E: Payload,
    F: Fn(Context, E) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Status>> + Send + 'static,
{
    let function = Arc::new(function);
    Arc::new(move |context, event| {
        let function = function.clone();
        caught(async move {
            let event = decode(event).map_err(|error| EventFailure::Undecodable(Arc::new(error)))?;
            function(context, event).await.map_err(EventFailure::Failed)
        })
    })
}

/// A handler of events as they come.
pub(crate) fn raw<F, Fut>(function: F) -> Handler
where
    F: Fn(Context, Event) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Status>> + Send + 'static,
{
    let function = Arc::new(function);
    Arc::new(move |context, event| {
        let function = function.clone();
        caught(async move { function(context, event).await.map_err(EventFailure::Failed) })
    })
}

/// A handler that panics has failed; what it was called with is not used again.
fn caught(
    work: impl Future<Output = Result<(), EventFailure>> + Send + 'static,
) -> BoxFuture<'static, Result<(), EventFailure>> {
    Box::pin(async {
        let done = AssertUnwindSafe(work).catch_unwind().await;
        done.unwrap_or_else(|panic| Err(EventFailure::Panicked(words(&*panic))))
    })
}

fn decode<E: Payload>(event: Event) -> Result<E> {
    let codec = match event.headers().get(CONTENT_TYPE) {
        Some(content_type) => Codec::of(content_type)?,
        None => E::CODEC,
    };
    E::decode(codec, event.message.body)
}
