//! The half of a socket that receives.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use futures::stream::{BoxStream, StreamExt};

use crate::address::Address;
use crate::error::Result;
use crate::message::Message;

/// The half that receives: a [`Stream`] of messages, which ends when the peer closed its direction.
pub struct SocketReceiver {
    local: Address,
    remote: Address,
    stream: BoxStream<'static, Result<Message>>,
}

impl SocketReceiver {
    pub(super) fn new(
        local: Address,
        remote: Address,
        stream: impl Stream<Item = Result<Message>> + Send + 'static,
    ) -> Self {
        SocketReceiver {
            local,
            remote,
            stream: stream.boxed(),
        }
    }

    pub(super) fn local(&self) -> &Address {
        &self.local
    }

    /// The other end.
    pub fn remote(&self) -> &Address {
        &self.remote
    }

    /// Waits for the next message; `None` when the peer closed its direction.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the peer is gone: its
    /// [`undelivered`](crate::Error::undelivered) says how many of the last messages sent certainly reached nobody.
    /// [`Malformed`](crate::ErrorKind::Malformed) when something arrived that cannot be read, after which more may
    /// come. [`Lagged`](crate::ErrorKind::Lagged) when this reader was too slow and messages were lost.
    ///
    /// # Cancel safety
    /// Safe: a message is either returned or still queued.
    pub async fn recv(&mut self) -> Option<Result<Message>> {
        self.stream.next().await
    }
}

impl Stream for SocketReceiver {
    type Item = Result<Message>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.poll_next_unpin(cx)
    }

    /// At least so many came together with the last one, and come without waiting; 0 where the backend does not say.
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}

impl fmt::Debug for SocketReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketReceiver")
            .field("local", &self.local)
            .field("remote", &self.remote)
            .finish_non_exhaustive()
    }
}
