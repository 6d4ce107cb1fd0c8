//! Two ends joined by two bounded channels.
//!
//! Beside each channel stands a [`Flow`]: two counters that say, once a reader left, how many messages it never
//! read. The other end learns of them from its `recv`, and may send them again elsewhere.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use futures::{Sink, Stream};
use tokio::sync::mpsc;
use tokio_util::sync::PollSender;

use crate::address::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::transport::Socket;

/// How many messages wait in one direction before their writer waits.
const QUEUE: usize = 128;

/// One end: where it is, and the largest message that it may send.
pub(super) struct End {
    pub(super) address: Address,
    pub(super) limit: Option<usize>,
}

/// A socket for each end.
pub(super) fn pair(near: End, far: End) -> (Socket, Socket) {
    let (near_out, mut far_in) = direction(&near, &far);
    let (far_out, mut near_in) = direction(&far, &near);
    near_in.opposite = Some(near_out.flow.clone());
    far_in.opposite = Some(far_out.flow.clone());
    (
        Socket::new(near.address.clone(), far.address.clone(), near_out, near_in),
        Socket::new(far.address, near.address, far_out, far_in),
    )
}

fn direction(from: &End, to: &End) -> (Outgoing, Incoming) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let flow = Arc::new(Flow::new());
    let outgoing = Outgoing {
        sender: PollSender::new(sender),
        sent: 0,
        flow: flow.clone(),
        remote: to.address.clone(),
        limit: from.limit,
    };
    let incoming = Incoming {
        receiver,
        read: 0,
        flow,
        opposite: None,
    };
    (outgoing, incoming)
}

/// What both ends know of one direction.
struct Flow {
    /// How many messages were sent. Only the sender writes it.
    sent: AtomicU64,
    /// How many were read when the reader left; [`Flow::READING`] until then.
    read: AtomicU64,
}

impl Flow {
    const READING: u64 = u64::MAX;

    fn new() -> Self {
        Flow {
            sent: AtomicU64::new(0),
            read: AtomicU64::new(Flow::READING),
        }
    }

    fn is_read(&self) -> bool {
        self.read.load(Ordering::Acquire) == Flow::READING
    }

    /// How many messages nobody will ever read: none for sure while there is a reader.
    fn undelivered(&self) -> u64 {
        // While somebody reads, `read` is larger than any number of messages.
        let read = self.read.load(Ordering::Acquire);
        self.sent.load(Ordering::Acquire).saturating_sub(read)
    }
}

/// The sending half's sink.
struct Outgoing {
    sender: PollSender<Message>,
    sent: u64,
    flow: Arc<Flow>,
    remote: Address,
    limit: Option<usize>,
}

impl Outgoing {
    fn closed(&self) -> Error {
        let message = match self.sender.get_ref() {
            Some(_) => "the peer has closed the socket",
            None => "this end has finished",
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
        // A slot reserved earlier outlives the reader, so the channel alone would not tell.
        if !self.flow.is_read() {
            return Poll::Ready(Err(self.closed()));
        }
        let reserved = ready!(self.sender.poll_reserve(cx));
        Poll::Ready(reserved.map_err(|_| self.closed()))
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<()> {
        self.check(&message)?;
        if self.sender.is_closed() {
            return Err(self.closed());
        }
        // Counted before it can be read, so that the count is never behind what the reader took.
        self.sent += 1;
        self.flow.sent.store(self.sent, Ordering::Release);
        self.sender.send_item(message).map_err(|_| self.closed())
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<()>> {
        // A slot that is still reserved would keep the channel open.
        self.sender.abort_send();
        self.sender.close();
        Poll::Ready(Ok(()))
    }
}

/// The receiving half's stream.
struct Incoming {
    receiver: mpsc::Receiver<Message>,
    read: u64,
    flow: Arc<Flow>,
    /// The other direction, until it was told what of it nobody read.
    opposite: Option<Arc<Flow>>,
}

impl Incoming {
    fn loss(&mut self) -> Option<Error> {
        match self.opposite.take()?.undelivered() {
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
        match ready!(self.receiver.poll_recv(cx)) {
            Some(message) => {
                self.read += 1;
                Poll::Ready(Some(Ok(message)))
            }
            None => Poll::Ready(self.loss().map(Err)),
        }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.flow.read.store(self.read, Ordering::Release);
    }
}
