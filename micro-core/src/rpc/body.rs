//! Bodies of calls: one message, or a stream of them.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::Stream;
use futures::stream::{BoxStream, StreamExt};

use crate::rpc::Status;
use crate::rpc::items::{Chunk, Items};
use crate::rpc::pack::Pack;

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
            Body::Many(stream) => stream.0.opening,
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
pub struct BodyStream(Box<Parts>);

/// In a box, since it is a part of requests, and they of the futures of calls.
struct Parts {
    opening: Bytes,
    /// What came together, as far as it has not been read.
    came: Items,
    source: Pin<Box<dyn Source>>,
}

/// Where the items of a stream come from.
pub(crate) trait Source: Send {
    /// What comes next: one item, or several that travelled together.
    fn poll_chunk(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Chunk, Status>>>;

    /// Puts one item or more into a pack that has room, or hands out several that travelled together.
    fn poll_fill(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pack: &mut Pack,
    ) -> Poll<Option<Result<Items, Status>>> {
        self.poll_chunk(cx).map_ok(|chunk| match chunk {
            Chunk::Many(items) => items,
            Chunk::One(item) => {
                pack.push(item);
                Items::default()
            }
        })
    }
}

impl<S: Stream<Item = Result<Bytes, Status>> + Send> Source for S {
    fn poll_chunk(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Chunk, Status>>> {
        self.poll_next(cx).map_ok(Chunk::One)
    }
}

/// How far a pack was filled.
#[derive(Debug)]
pub(crate) enum Filled {
    /// More may come.
    Some,
    /// Nothing more comes.
    End,
    /// The stream ended with that, behind what is in the pack.
    Failed(Status),
}

impl BodyStream {
    /// A stream of bodies; an error ends it.
    pub fn new(items: impl Stream<Item = Result<Bytes, Status>> + Send + 'static) -> Self {
        BodyStream::of(items)
    }

    pub(crate) fn of(source: impl Source + 'static) -> Self {
        BodyStream(Box::new(Parts {
            opening: Bytes::new(),
            came: Items::default(),
            source: Box::pin(source),
        }))
    }

    /// A stream of what messages carried.
    pub(crate) fn of_chunks(chunks: impl Stream<Item = Result<Chunk, Status>> + Send + 'static) -> Self {
        BodyStream::of(Chunks(chunks.boxed()))
    }

    /// Keeps the body of the message that opened the stream, which is not one of its items.
    pub(crate) fn with_opening(mut self, opening: Bytes) -> Self {
        self.0.opening = opening;
        self
    }

    /// Puts what is ready into an empty pack, as much as it takes, and waits while that is nothing, or may not be sent.
    ///
    /// # Cancel safety
    /// Safe: what was taken is in the pack.
    pub(crate) async fn fill(&mut self, pack: &mut Pack) -> Filled {
        std::future::poll_fn(|cx| {
            ready!(pack.poll_room(cx));
            match pack.filling(|pack| self.poll_fill(cx, pack)) {
                Poll::Pending if pack.is_empty() => Poll::Pending,
                Poll::Pending | Poll::Ready(Some(Ok(()))) => Poll::Ready(Filled::Some),
                Poll::Ready(Some(Err(status))) => Poll::Ready(Filled::Failed(status)),
                Poll::Ready(None) => Poll::Ready(Filled::End),
            }
        })
        .await
    }

    /// Puts what is ready into a pack, as much as it takes.
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        pack: &mut Pack,
    ) -> Poll<Option<Result<(), Status>>> {
        let this = &mut *self.0;
        while !pack.is_full() {
            if let Some(item) = this.came.next() {
                pack.push(item);
                continue;
            }
            match ready!(this.source.as_mut().poll_fill(cx, pack)) {
                Some(Ok(came)) => this.came = came,
                Some(Err(status)) => return Poll::Ready(Some(Err(status))),
                None => return Poll::Ready(None),
            }
        }
        Poll::Ready(Some(Ok(())))
    }

    /// What comes next: one item, or several that travelled together.
    pub(crate) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Chunk, Status>>> {
        let this = &mut *self.0;
        match this.came.is_empty() {
            true => this.source.as_mut().poll_chunk(cx),
            false => Poll::Ready(Some(Ok(Chunk::Many(std::mem::take(&mut this.came))))),
        }
    }

    /// Waits for the next item.
    pub(super) fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Item<'_>, Status>>> {
        let this = &mut *self.0;
        while this.came.is_empty() {
            // What was read is not held while nothing comes.
            this.came = Items::default();
            match ready!(this.source.as_mut().poll_chunk(cx)?) {
                None => return Poll::Ready(None),
                Some(Chunk::One(item)) => return Poll::Ready(Some(Ok(Item::Alone(item)))),
                Some(Chunk::Many(items)) => this.came = items,
            }
        }
        Poll::Ready(Some(Ok(Item::Packed(&mut this.came))))
    }
}

/// An item, and how it came.
pub(super) enum Item<'a> {
    Alone(Bytes),
    /// It is the next of these.
    Packed(&'a mut Items),
}

impl Stream for BodyStream {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.poll_item(cx)?);
        Poll::Ready(item.and_then(|item| match item {
            Item::Alone(item) => Some(Ok(item)),
            Item::Packed(items) => items.next().map(Ok),
        }))
    }
}

/// What messages carried, one after the other.
struct Chunks(BoxStream<'static, Result<Chunk, Status>>);

impl Source for Chunks {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Chunk, Status>>> {
        self.0.poll_next_unpin(cx)
    }
}

impl fmt::Debug for BodyStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyStream")
    }
}
