//! Two ends joined by two pipes.
//!
//! A pipe knows, once its reader left, how many messages were never read. The other end learns of them from its `recv`,
//! and may send them again elsewhere.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::{Sink, Stream};
use tokio::task::coop::poll_proceed;

use super::pipe::Pipe;
use crate::address::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::transport::Socket;

/// One end: where it is, and the largest message that it may send.
pub(super) struct End {
    pub(super) address: Address,
    pub(super) limit: Option<usize>,
}

/// A socket for each end.
pub(super) fn pair(near: End, far: End) -> (Socket, Socket) {
    let (there, back) = (Pipe::default(), Pipe::default());
    let socket = |from: &End, to: &End, out: &Pipe, back: &Pipe| {
        let outgoing = Outgoing {
            pipe: out.clone(),
            room: 0,
            finished: false,
            remote: to.address.clone(),
            limit: from.limit,
        };
        let incoming = Incoming {
            pipe: back.clone(),
            taken: VecDeque::new(),
            opposite: Some(out.clone()),
        };
        let written = out.clone();
        Socket::new(from.address.clone(), to.address.clone(), outgoing, incoming)
            .with_closed(move || written.closed())
    };
    (
        socket(&near, &far, &there, &back),
        socket(&far, &near, &back, &there),
    )
}

/// The sending half's sink.
struct Outgoing {
    pipe: Pipe,
    /// For how many messages there is room at least, so that the pipe is not asked for each.
    room: usize,
    finished: bool,
    remote: Address,
    limit: Option<usize>,
}

impl Outgoing {
    fn closed(&self) -> Error {
        let message = match self.finished {
            false => "the peer has closed the socket",
            true => "this end has finished",
        };
        self.describe(Error::closed(message))
    }

    fn check(&self, message: &Message) -> Result<()> {
        let (size, limit) = match self.limit {
            Some(limit) if message.size() > limit => (message.size(), limit),
            _ => return Ok(()),
        };
        let error = Error::new(ErrorKind::ResourceExhausted, "the message is too large");
        Err(self
            .describe(error)
            .with_context("bytes", size)
            .with_context("limit", limit))
    }

    fn describe(&self, error: Error) -> Error {
        error.with_operation("send").with_context("address", &self.remote)
    }
}

impl Sink<Message> for Outgoing {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        // Where there was room it is not asked whether the reader has left since: the next message finds that out.
        if self.room == 0 && !self.finished {
            self.room = ready!(self.pipe.poll_room(cx)).unwrap_or(0);
        }
        match self.room {
            0 => Poll::Ready(Err(self.closed())),
            _ => Poll::Ready(Ok(())),
        }
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<()> {
        self.check(&message)?;
        self.room = self.room.saturating_sub(1);
        match !self.finished && self.pipe.push(message) {
            true => Ok(()),
            false => Err(self.closed()),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.pipe.flush();
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.finished = true;
        self.room = 0;
        self.pipe.finish();
        Poll::Ready(Ok(()))
    }
}

/// What was sent is still delivered.
impl Drop for Outgoing {
    fn drop(&mut self) {
        self.pipe.finish();
    }
}

/// The receiving half's stream.
struct Incoming {
    pipe: Pipe,
    /// Taken from the pipe together, and not handed on yet.
    taken: VecDeque<Message>,
    /// The other direction, until it was told what of it nobody read.
    opposite: Option<Pipe>,
}

impl Incoming {
    fn loss(&mut self) -> Option<Error> {
        match self.opposite.take()?.unread() {
            0 => None,
            count => Some(
                Error::new(ErrorKind::Unavailable, "the peer left messages unread")
                    .with_operation("recv")
                    .with_context("unread", count)
                    .with_undelivered(usize::try_from(count).unwrap_or(usize::MAX)),
            ),
        }
    }
}

impl Stream for Incoming {
    type Item = Result<Message>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // A reader whom its writer never lets wait must give way to others all the same.
        let progress = ready!(poll_proceed(cx));
        let this = &mut *self;
        if this.taken.is_empty() && !ready!(this.pipe.poll_take(&mut this.taken, cx)) {
            return Poll::Ready(this.loss().map(Err));
        }
        progress.made_progress();
        Poll::Ready(this.taken.pop_front().map(Ok))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.pipe.leave(self.taken.len());
    }
}
