//! Typed messages, one after the other.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::stream::{BoxStream, StreamExt};
use futures::{Stream, TryStreamExt};

use crate::codec::{Codec, Marshaller};
use crate::error::Error;
use crate::rpc::Status;
use crate::rpc::body::{BodyStream, Item, Source};
use crate::rpc::items::{Chunk, Items};
use crate::rpc::pack::Pack;

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
        Streaming::new(Decoded {
            body,
            codec,
            how,
            fault,
        })
    }

    /// `fault` says what a value that cannot be encoded ends the stream with, likewise.
    pub(crate) fn encode(self, codec: Codec, how: Marshaller<T>, fault: fn(Error) -> Status) -> BodyStream {
        BodyStream::of(Encoded {
            items: self,
            codec,
            how,
            fault,
        })
    }
}

/// Bodies as values.
struct Decoded<T> {
    body: BodyStream,
    codec: Codec,
    how: Marshaller<T>,
    fault: fn(Error) -> Status,
}

impl<T> Stream for Decoded<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let item = ready!(this.body.poll_item(cx)?);
        let decoded = item.and_then(|item| match item {
            Item::Alone(item) => Some(this.how.decode(this.codec, item)),
            Item::Packed(items) => Some(this.how.decode_slice(this.codec, items.next_slice()?)),
        });
        Poll::Ready(decoded.map(|value| value.map_err(this.fault)))
    }
}

/// Values as bodies.
struct Encoded<T> {
    items: Streaming<T>,
    codec: Codec,
    how: Marshaller<T>,
    fault: fn(Error) -> Status,
}

impl<T> Source for Encoded<T> {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Chunk, Status>>> {
        let this = &mut *self;
        let item = ready!(this.items.poll_next_unpin(cx)?);
        let encoded = item.map(|item| this.how.encode(&item, this.codec));
        Poll::Ready(encoded.map(|body| body.map(Chunk::One).map_err(this.fault)))
    }

    /// Each value straight into the pack.
    fn poll_fill(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pack: &mut Pack,
    ) -> Poll<Option<Result<Items, Status>>> {
        let this = &mut *self;
        while !pack.is_full() {
            let Some(item) = ready!(this.items.0.as_mut().poll_next(cx)?) else {
                return Poll::Ready(None);
            };
            pack.write(|out| this.how.encode_to(&item, this.codec, out))
                .map_err(this.fault)?;
        }
        Poll::Ready(Some(Ok(Items::default())))
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
