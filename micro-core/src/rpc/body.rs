//! Bodies of calls: one message, or a stream of them, untyped and typed.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt};
use futures::{Stream, TryStreamExt};

use crate::codec::{Codec, Marshaller};
use crate::error::Error;
use crate::rpc::Status;

/// What a request or a response carries.
#[derive(Debug)]
pub enum Body {
    /// One message.
    One(Bytes),
    /// Messages one after the other.
    Many(BodyStream),
}

impl Body {
    /// The only message.
    ///
    /// Of a stream that was opened on an endpoint that answers one request with one answer, it is the message that
    /// opened it, as go-micro has it.
    pub fn into_one(self) -> Bytes {
        match self {
            Body::One(body) => body,
            Body::Many(stream) => stream.opening,
        }
    }

    /// The messages as a stream; one message is a stream of one.
    pub fn into_many(self) -> BodyStream {
        match self {
            Body::One(body) => BodyStream::new(futures::stream::once(async { Ok(body) })),
            Body::Many(stream) => stream,
        }
    }
}

impl From<Bytes> for Body {
    fn from(body: Bytes) -> Self {
        Body::One(body)
    }
}

/// Untyped messages, one after the other. Dropping it tells the other end that nobody reads any more.
pub struct BodyStream {
    opening: Bytes,
    items: BoxStream<'static, Result<Bytes, Status>>,
}

impl BodyStream {
    /// A stream of bodies; an error ends it.
    pub fn new(items: impl Stream<Item = Result<Bytes, Status>> + Send + 'static) -> Self {
        BodyStream {
            opening: Bytes::new(),
            items: items.boxed(),
        }
    }

    /// Keeps the body of the message that opened the stream, which is not one of its items.
    pub(crate) fn with_opening(mut self, opening: Bytes) -> Self {
        self.opening = opening;
        self
    }
}

impl Stream for BodyStream {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.items.poll_next_unpin(cx)
    }
}

impl fmt::Debug for BodyStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyStream")
    }
}

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
pub struct Streaming<T>(BoxStream<'static, Result<T, Status>>);

impl<T: Send + 'static> Streaming<T> {
    /// Makes one of any stream.
    pub fn new(items: impl Stream<Item = Result<T, Status>> + Send + 'static) -> Self {
        Streaming(items.boxed())
    }

    /// The next message; `None` at the end.
    ///
    /// # Errors
    /// What the other end ended the stream with, or what broke on the way.
    ///
    /// # Cancel safety
    /// Safe: a message is either returned or still queued.
    pub async fn next(&mut self) -> Option<Result<T, Status>> {
        self.0.next().await
    }

    /// All messages up to the end.
    ///
    /// # Errors
    /// The first error; what came before it is lost.
    pub async fn collect(self) -> Result<Vec<T>, Status> {
        self.0.try_collect().await
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
        Streaming::new(body.map(move |item| how.decode(codec, item?).map_err(fault)))
    }

    /// `fault` says what a value that cannot be encoded ends the stream with, likewise.
    pub(crate) fn encode(self, codec: Codec, how: Marshaller<T>, fault: fn(Error) -> Status) -> BodyStream {
        BodyStream::new(self.0.map(move |item| how.encode(&item?, codec).map_err(fault)))
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

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

impl<T> fmt::Debug for Streaming<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Streaming<{}>", std::any::type_name::<T>())
    }
}
