//! One end of a conversation.

use futures::future::BoxFuture;
use futures::{Sink, Stream};

use super::{SocketReceiver, SocketSender};
use crate::address::Address;
use crate::error::{Error, Result};
use crate::message::Message;

/// One end of a conversation; both ends are the same type.
///
/// Dropping it closes both directions: the peer's `recv` ends after what was sent before.
#[derive(Debug)]
pub struct Socket {
    // Dropped first: whoever learns of the end by the sender's can then be told what was left unread.
    receiver: SocketReceiver,
    sender: SocketSender,
}

impl Socket {
    /// For backends: each half releases what it holds when dropped, and `outgoing` tells the peer when closed.
    ///
    /// The lower bound of the `size_hint` of `incoming` is how many messages came together with the last one and are at
    /// hand; a server handles those in one turn. A stream that does not know says 0.
    pub fn new(
        local: Address,
        remote: Address,
        outgoing: impl Sink<Message, Error = Error> + Send + 'static,
        incoming: impl Stream<Item = Result<Message>> + Send + 'static,
    ) -> Self {
        Socket {
            sender: SocketSender::new(remote.clone(), outgoing),
            receiver: SocketReceiver::new(local, remote, incoming),
        }
    }

    /// For backends with [`close_notice`](super::TransportCapabilities::close_notice): what
    /// [`SocketSender::closed`] answers with, each time it is asked. A [`CloseSignal`](super::CloseSignal) helps.
    #[must_use]
    pub fn with_closed(
        mut self,
        closed: impl Fn() -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        self.sender.closed = Some(Box::new(closed));
        self
    }

    /// This end.
    pub fn local(&self) -> &Address {
        self.receiver.local()
    }

    /// The other end.
    pub fn remote(&self) -> &Address {
        self.receiver.remote()
    }

    /// As [`SocketSender::send`].
    ///
    /// # Errors
    /// As [`SocketSender::send`].
    ///
    /// # Cancel safety
    /// The message is sent whole or not at all.
    pub async fn send(&mut self, message: Message) -> Result<()> {
        self.sender.send(message).await
    }

    /// As [`SocketReceiver::recv`].
    ///
    /// # Errors
    /// As [`SocketReceiver::recv`].
    ///
    /// # Cancel safety
    /// Safe: a message is either returned or still queued.
    pub async fn recv(&mut self) -> Option<Result<Message>> {
        self.receiver.recv().await
    }

    /// Two halves that live and end apart.
    pub fn split(self) -> (SocketSender, SocketReceiver) {
        (self.sender, self.receiver)
    }

    /// Flushes, tells the peer, and closes both directions.
    ///
    /// # Errors
    /// What was fed may not have left when this fails.
    ///
    /// # Cancel safety
    /// Dropping the future drops the socket.
    pub async fn close(self) -> Result<()> {
        let (mut sender, receiver) = self.split();
        drop(receiver);
        sender.finish().await
    }
}
