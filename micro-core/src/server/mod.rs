//! The answering side: takes sockets from a listener, and hands each request to a [`tower::Service`].

mod accepting;
mod answering;
mod connection;
mod flow;
mod handler;
mod handling;
mod latecomers;
mod methods;
mod options;
mod outbox;
mod pace;
mod router;
mod running;
mod shared;
mod turn;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::address::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::message::Metadata;
use crate::rpc::{FEATURES, FEATURES_KEY, Request, Response, Status};
use crate::server::accepting::{Trouble, accept};
use crate::server::shared::{Admitted, Shared};
use crate::transport::Listener;

pub use options::ServerOptions;
pub use router::Router;

/// A running server. Dropping it cancels every handler and closes every socket; [`shutdown`](Server::shutdown)
/// lets them finish.
pub struct Server {
    address: Address,
    metadata: Metadata,
    shared: Arc<Shared>,
    stop: CancellationToken,
    accepting: Option<JoinHandle<Result<()>>>,
    trouble: watch::Receiver<Trouble>,
}

/// How a shutdown went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Requests that were running when the shutdown began, and finished.
    pub finished: usize,
    /// Requests that were cut because the limit passed; their callers were told.
    pub cut: usize,
}

impl Server {
    /// Serves what comes in on the listener. Needs a tokio runtime.
    ///
    /// A unary handler begins in the task of its socket, and gets a task of its own as soon as it waits; so do all, for a
    /// while, where some took long before they waited. Every other handler gets one from its start.
    pub fn serve<S>(listener: Listener, service: S, options: ServerOptions) -> Server
    where
        S: Service<Request, Response = Response, Error = Status> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        let shared = Arc::new(Shared::new(options));
        let stop = CancellationToken::new();
        let address = listener.address().clone();
        let mut metadata = listener.metadata().clone();
        metadata.insert(FEATURES_KEY.into(), FEATURES.into());
        let (says, trouble) = watch::channel(None);
        let accepting = tokio::spawn(accept(listener, service, shared.clone(), stop.clone(), says));
        Server {
            address,
            metadata,
            shared,
            stop,
            accepting: Some(accepting),
            trouble,
        }
    }

    /// Where it is dialled.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What a caller should know of it; belongs in the node's metadata.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// How many requests are running now.
    pub fn in_flight(&self) -> usize {
        self.shared.running.load(Ordering::Acquire)
    }

    /// What keeps callers from coming in now, if anything does: the listener has ended, or the address is denied.
    pub fn trouble(&self) -> watch::Receiver<Option<Arc<str>>> {
        self.trouble.clone()
    }

    /// Takes no new requests, waits up to `limit` for those that run, and closes.
    ///
    /// A request that arrives meanwhile is refused in a way that makes its caller try another node; streams that run
    /// go on in both directions. go-micro's callers try no other: theirs are served until 0.25 s have passed without
    /// one, or 2 s. A peer that does not read its last answers delays the end by five seconds at most.
    ///
    /// # Errors
    /// What the transport met while leaving its address; all else is done nevertheless.
    ///
    /// # Cancel safety
    /// Dropping the future cuts what still runs.
    pub async fn shutdown(self, limit: Duration) -> Result<ShutdownReport> {
        self.shutdown_until(tokio::time::sleep(limit)).await
    }

    /// As [`shutdown`](Server::shutdown), and waits for those that run until `cut` resolves.
    ///
    /// # Errors
    /// As [`shutdown`](Server::shutdown).
    ///
    /// # Cancel safety
    /// Dropping the future cuts what still runs.
    pub async fn shutdown_until(mut self, cut: impl Future<Output = ()>) -> Result<ShutdownReport> {
        let running = self.in_flight();
        self.shared.draining.store(true, Ordering::Release);
        let drained = async {
            self.shared.latecomers.gone().await;
            self.shared.calls.close();
            self.shared.calls.wait().await;
        };
        let cut = tokio::select! {
            biased;
            () = drained => 0,
            () = cut => self.in_flight(),
        };
        self.shared.handlers.cancel();
        // Only now: some transports hand on nothing more to accepted sockets once their listener has left.
        let left = self.leave().await;
        self.shared.finish.cancel();
        self.shared.connections.close();
        self.shared.connections.wait().await;
        left.map(|()| ShutdownReport {
            finished: running.saturating_sub(cut),
            cut,
        })
    }

    async fn leave(&mut self) -> Result<()> {
        self.stop.cancel();
        match self.accepting.take() {
            Some(task) => task.await.unwrap_or_else(|e| {
                Err(Error::new(ErrorKind::Internal, "the accepting task failed").with_source(e))
            }),
            None => Ok(()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        self.shared.draining.store(true, Ordering::Release);
        self.shared.handlers.cancel();
        self.shared.finish.cancel();
        if let Some(task) = self.accepting.take() {
            task.abort();
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
