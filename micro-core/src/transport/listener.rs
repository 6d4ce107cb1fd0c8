//! An open address.

use std::fmt;

use futures::Stream;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt};

use super::Socket;
use crate::address::Address;
use crate::error::{Error, Result};
use crate::message::Metadata;

/// An open address: a stream of accepted sockets.
///
/// Dropping it frees the address and closes the sockets that nobody accepted. Accepted sockets live on.
pub struct Listener {
    address: Address,
    metadata: Metadata,
    incoming: BoxStream<'static, Result<Socket>>,
    leave: BoxFuture<'static, Result<()>>,
}

impl Listener {
    /// For backends: `incoming` releases the address when dropped; `leave` is awaited at most once, and resolves
    /// when no new socket and no message for an old one can arrive any more.
    pub fn new(
        address: Address,
        metadata: Metadata,
        incoming: impl Stream<Item = Result<Socket>> + Send + 'static,
        leave: impl Future<Output = Result<()>> + Send + 'static,
    ) -> Self {
        Listener {
            address,
            metadata,
            incoming: incoming.boxed(),
            leave: Box::pin(leave),
        }
    }

    /// Where others dial.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What a dialler should know of this listener; belongs in the node's metadata.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Waits for the next socket.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed) when nothing will come any more; what the backend reports
    /// otherwise, after which more may come.
    ///
    /// # Cancel safety
    /// Safe: a socket is either returned or still queued.
    pub async fn accept(&mut self) -> Result<Socket> {
        match self.incoming.next().await {
            Some(result) => result,
            None => Err(Error::closed("the listener has ended").with_operation("accept")),
        }
    }

    /// Frees the address, and reports.
    ///
    /// When it returns, whoever sends to the address gets [`Unavailable`](crate::ErrorKind::Unavailable), and what
    /// arrived before is in the sockets. Sockets that nobody accepted are closed.
    ///
    /// # Errors
    /// What the backend met while leaving; the address is given up all the same.
    ///
    /// # Cancel safety
    /// Dropping the future drops the listener.
    pub async fn close(self) -> Result<()> {
        self.leave.await
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
