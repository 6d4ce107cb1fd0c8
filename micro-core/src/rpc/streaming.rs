//! Typed messages, one after the other.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::stream::StreamExt;
use futures::{Stream, TryStreamExt};

use crate::codec::{Codec, Marshaller};
use crate::error::Error;
use crate::rpc::Status;
use crate::rpc::body::BodyStream;

#[cfg(test)]
mod tests;
mod values;

use values::{Decoded, Encoded, Form, Values};

/// Typed messages, one after the other: what a handler of a stream takes or answers, and what a caller gets.
///
/// The stream ends after an error. Dropping it early tells the other end, whose handler is cancelled.
///
/// ```
/// use micro_core::rpc::Streaming;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), micro_core::rpc::Status> {
/// let mut numbers = Streaming::from_iter([1, 2]);
/// while let Some(number) = numbers.next().await {
///     assert!(number? < 3);
/// }
/// # Ok(()) }
/// ```
pub struct Streaming<T> {
    /// What came with the last.
    more: VecDeque<T>,
    values: Pin<Box<dyn Values<T>>>,
}

impl<T: Send + 'static> Streaming<T> {
    /// Makes one of any stream.
    pub fn new(items: impl Stream<Item = Result<T, Status>> + Send + 'static) -> Self {
        Streaming::of(items)
    }

    fn of(values: impl Values<T> + 'static) -> Self {
        Streaming {
            more: VecDeque::new(),
            values: Box::pin(values),
        }
    }

    /// The next message; `None` at the end.
    ///
    /// # Errors
    /// What the other end ended the stream with, or what broke on the way.
    ///
    /// # Cancel safety
    /// Safe: a message is either returned or still queued.
    pub async fn next(&mut self) -> Option<Result<T, Status>> {
        StreamExt::next(self).await
    }

    /// All messages up to the end.
    ///
    /// # Errors
    /// The first error; what came before it is lost.
    pub async fn collect(self) -> Result<Vec<T>, Status> {
        self.try_collect().await
    }
}

impl<T: Send + 'static> Streaming<T> {
    /// `fault` says what bytes that cannot be decoded end the stream with: caller and handler differ in that.
    pub(crate) fn decode(
        body: BodyStream,
        codec: Codec,
        how: Marshaller<T>,
        fault: fn(Error) -> Status,
    ) -> Self {
        let form = Form { codec, how, fault };
        Streaming::of(Decoded { body, form })
    }

    /// `fault` says what a value that cannot be encoded ends the stream with, likewise.
    pub(crate) fn encode(self, codec: Codec, how: Marshaller<T>, fault: fn(Error) -> Status) -> BodyStream {
        let form = Form { codec, how, fault };
        BodyStream::of(Encoded { items: self, form })
    }
}

/// A stream of values that are known already.
impl<T: Send + 'static> FromIterator<T> for Streaming<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let items: Vec<T> = items.into_iter().collect();
        Streaming::new(futures::stream::iter(items).map(Ok))
    }
}

impl<T> Stream for Streaming<T> {
    type Item = Result<T, Status>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Streaming { more, values } = &mut *self;
        match more.pop_front() {
            Some(value) => Poll::Ready(Some(Ok(value))),
            None => values.as_mut().poll_some(cx, more),
        }
    }
}

// A value is handed out, and never pinned.
impl<T> Unpin for Streaming<T> {}

impl<T> fmt::Debug for Streaming<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Streaming<{}>", std::any::type_name::<T>())
    }
}
