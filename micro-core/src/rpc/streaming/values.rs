//! Where the values of a stream come from, and how they become bodies.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::stream::{Stream, StreamExt};

use super::Streaming;
use crate::codec::{Codec, Marshaller};
use crate::error::Error;
use crate::rpc::Status;
use crate::rpc::body::{BodyStream, Item, Source};
use crate::rpc::items::{Chunk, Items};
use crate::rpc::pack::Pack;

/// How values are written and read.
pub(super) struct Form<T> {
    pub(super) codec: Codec,
    pub(super) how: Marshaller<T>,
    /// What it means when that fails.
    pub(super) fault: fn(Error) -> Status,
}

/// Where the values of a stream come from. What is done for each of them is known here, and no further call.
pub(super) trait Values<T>: Send {
    /// Waits for the next. What came with it may be put into `more`, which is empty.
    fn poll_some(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        more: &mut VecDeque<T>,
    ) -> Poll<Option<Result<T, Status>>>;

    /// Puts values into a pack until it is full: those in `more` first.
    fn poll_fill(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        more: &mut VecDeque<T>,
        form: &Form<T>,
        pack: &mut Pack,
    ) -> Poll<Option<Result<(), Status>>> {
        while !pack.is_full() {
            let value = match more.pop_front() {
                None => ready!(self.as_mut().poll_some(cx, more)?),
                value => value,
            };
            let Some(value) = value else {
                return Poll::Ready(None);
            };
            pack.write(|out| form.how.encode_to(&value, form.codec, out))
                .map_err(form.fault)?;
        }
        Poll::Ready(Some(Ok(())))
    }
}

impl<T, S: Stream<Item = Result<T, Status>> + Send> Values<T> for S {
    fn poll_some(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _more: &mut VecDeque<T>,
    ) -> Poll<Option<Result<T, Status>>> {
        self.poll_next(cx)
    }
}

/// Bodies as values.
pub(super) struct Decoded<T> {
    pub(super) body: BodyStream,
    pub(super) form: Form<T>,
}

impl<T> Values<T> for Decoded<T> {
    fn poll_some(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        more: &mut VecDeque<T>,
    ) -> Poll<Option<Result<T, Status>>> {
        let Decoded { body, form } = &mut *self;
        let Poll::Ready(item) = body.poll_item(cx)? else {
            // Room for values is not held while nothing comes.
            *more = VecDeque::new();
            return Poll::Pending;
        };
        let decoded = item.map(|item| match item {
            Item::Alone(item) => form.how.decode(form.codec, item),
            Item::Packed(items) => items.read(|items| form.how.decode_some(form.codec, items, more)),
        });
        Poll::Ready(decoded.map(|value| value.map_err(form.fault)))
    }
}

/// Values as bodies.
pub(super) struct Encoded<T> {
    pub(super) items: Streaming<T>,
    pub(super) form: Form<T>,
}

impl<T: Send> Source for Encoded<T> {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Chunk, Status>>> {
        let Encoded { items, form } = &mut *self;
        let item = ready!(items.poll_next_unpin(cx)?);
        let encoded = item.map(|item| form.how.encode(&item, form.codec));
        Poll::Ready(encoded.map(|body| body.map(Chunk::One).map_err(form.fault)))
    }

    /// Each value straight into the pack.
    fn poll_fill(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pack: &mut Pack,
    ) -> Poll<Option<Result<Items, Status>>> {
        let Encoded { items, form } = &mut *self;
        let filled = items.values.as_mut().poll_fill(cx, &mut items.more, form, pack);
        filled.map_ok(|()| Items::default())
    }
}
