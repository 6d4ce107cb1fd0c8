//! The half of a socket that sends.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use futures::{Sink, SinkExt};

use crate::address::Address;
use crate::error::{Error, Result};
use crate::message::Message;

type Closed = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;
type BoxSink = Pin<Box<dyn Sink<Message, Error = Error> + Send>>;

/// The half that sends: a [`Sink`], so that a writer can feed everything it has and flush once.
///
/// Dropping it ends the peer's `recv`, after what was sent before: a half-close.
pub struct SocketSender {
    remote: Address,
    sink: BoxSink,
    pub(super) closed: Option<Closed>,
}

impl SocketSender {
    pub(super) fn new(remote: Address, sink: impl Sink<Message, Error = Error> + Send + 'static) -> Self {
        SocketSender {
            remote,
            sink: Box::pin(sink),
            closed: None,
        }
    }

    /// The other end.
    pub fn remote(&self) -> &Address {
        &self.remote
    }

    /// Sends one message and flushes.
    ///
    /// # Errors
    /// [`ResourceExhausted`](crate::ErrorKind::ResourceExhausted) when it is too large, and nothing of it was sent;
    /// [`Closed`](crate::ErrorKind::Closed) or [`Unavailable`](crate::ErrorKind::Unavailable) when the socket ended.
    ///
    /// # Cancel safety
    /// The message is sent whole or not at all.
    pub async fn send(&mut self, message: Message) -> Result<()> {
        self.sink.send(message).await
    }

    /// Waits until nobody reads any more what is sent here: the peer has dropped its receiving half, or is gone, or the
    /// socket has failed, or this half has finished. A peer that has only finished sending still reads.
    ///
    /// The future stands by itself, so that this half can be used while it is awaited. It never resolves where the
    /// backend does not give [`close_notice`](super::TransportCapabilities::close_notice), and late or never for a peer of
    /// which nothing is known, since such peers do not say when they leave.
    ///
    /// # Cancel safety
    /// Safe: dropping the future changes nothing, and it may be asked for again.
    pub fn closed(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let closed = self.closed.as_ref().map(|closed| closed());
        async move {
            match closed {
                Some(closed) => closed.await,
                None => std::future::pending().await,
            }
        }
    }

    /// Flushes and ends this direction: the peer's `recv` ends after what was sent before.
    ///
    /// # Errors
    /// What was fed may not have left when this fails.
    ///
    /// # Cancel safety
    /// May be awaited again.
    pub async fn finish(&mut self) -> Result<()> {
        self.sink.close().await
    }
}

impl Sink<Message> for SocketSender {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.sink.poll_ready_unpin(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<()> {
        self.sink.start_send_unpin(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.sink.poll_flush_unpin(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.sink.poll_close_unpin(cx)
    }
}

impl fmt::Debug for SocketSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketSender")
            .field("remote", &self.remote)
            .finish_non_exhaustive()
    }
}
