//! The answering side: takes sockets from a listener, and hands each request to a [`tower::Service`].

mod answering;
mod connection;
mod handler;
mod handling;
mod latecomers;
mod methods;
mod outbox;
mod pace;
mod router;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use crate::address::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::message::Metadata;
use crate::observe::Methods;
use crate::rpc::frame::Dialect;
use crate::rpc::{Context, FEATURES, FEATURES_KEY, Request, Response, Status};
use crate::server::latecomers::Latecomers;
use crate::transport::{Listener, Socket};

pub use router::Router;

/// The limits of a server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerOptions {
    /// How many requests run at once; more are refused with `ResourceExhausted`, and the handler is not started.
    /// Default: 10,000.
    pub max_concurrent_requests: usize,
    /// How many items of one incoming stream wait for its handler before its socket is no longer read.
    /// Default: 64.
    pub stream_capacity: usize,
    /// What its methods are called in spans and metrics. Default: whatever callers call them.
    pub methods: Methods,
}

impl Default for ServerOptions {
    fn default() -> Self {
        ServerOptions {
            max_concurrent_requests: 10_000,
            stream_capacity: 64,
            methods: Methods::default(),
        }
    }
}

impl ServerOptions {
    /// Bounds the requests that run at once.
    #[must_use]
    pub fn with_max_concurrent_requests(mut self, requests: usize) -> Self {
        self.max_concurrent_requests = requests;
        self
    }

    /// Bounds the items of one incoming stream that wait.
    #[must_use]
    pub fn with_stream_capacity(mut self, items: usize) -> Self {
        self.stream_capacity = items.max(1);
        self
    }

    /// Tells spans and metrics what its methods are called.
    #[must_use]
    pub fn with_methods(mut self, methods: Methods) -> Self {
        self.methods = methods;
        self
    }
}

/// A running server. Dropping it cancels every handler and closes every socket; [`shutdown`](Server::shutdown)
/// lets them finish.
pub struct Server {
    address: Address,
    metadata: Metadata,
    shared: Arc<Shared>,
    stop: CancellationToken,
    accepting: Option<JoinHandle<Result<()>>>,
}

/// What all connections of one server share.
struct Shared {
    options: ServerOptions,
    running: AtomicUsize,
    draining: AtomicBool,
    latecomers: Latecomers,
    /// Ends every handler.
    handlers: Context,
    /// Every handler that runs, so that a shutdown can wait for them.
    calls: TaskTracker,
    /// Every connection.
    connections: TaskTracker,
    /// Says to connections that no answer will come any more: flush, and close.
    finish: CancellationToken,
}

impl Shared {
    fn new(options: ServerOptions) -> Self {
        Shared {
            options,
            running: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            latecomers: Latecomers::new(),
            handlers: Context::new(),
            calls: TaskTracker::new(),
            connections: TaskTracker::new(),
            finish: CancellationToken::new(),
        }
    }

    /// Takes a place for one request, or says why there is none.
    fn admit(self: &Arc<Self>, caller: Dialect) -> Result<Admitted, Status> {
        let serves = self.latecomers.serves(caller);
        if self.draining.load(Ordering::Acquire) && !serves {
            return Err(Status::unavailable("the service is stopping").never_delivered());
        }
        if self.running.fetch_add(1, Ordering::AcqRel) >= self.options.max_concurrent_requests {
            self.running.fetch_sub(1, Ordering::AcqRel);
            let limit = self.options.max_concurrent_requests;
            let message = format!("{limit} requests are running, and that is the limit");
            return Err(Status::resource_exhausted(message).never_delivered());
        }
        Ok(Admitted(self.clone()))
    }
}

/// One request's place; dropping it gives the place back.
struct Admitted(Arc<Shared>);

impl Drop for Admitted {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
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
        let accepting = tokio::spawn(accept(listener, service, shared.clone(), stop.clone()));
        Server {
            address,
            metadata,
            shared,
            stop,
            accepting: Some(accepting),
        }
    }

    /// Where it is dialled.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What a caller should know of it; belongs into the node's metadata.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// How many requests are running now.
    pub fn in_flight(&self) -> usize {
        self.shared.running.load(Ordering::Acquire)
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
    pub async fn shutdown(mut self, limit: Duration) -> Result<ShutdownReport> {
        let running = self.in_flight();
        self.shared.draining.store(true, Ordering::Release);
        let drained = async {
            self.shared.latecomers.gone().await;
            self.shared.calls.close();
            self.shared.calls.wait().await;
        };
        let cut = match tokio::time::timeout(limit, drained).await {
            Ok(()) => 0,
            Err(_) => self.in_flight(),
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

/// Accepts until told to stop, and then leaves the address.
async fn accept<S>(
    mut listener: Listener,
    service: S,
    shared: Arc<Shared>,
    stop: CancellationToken,
) -> Result<()>
where
    S: Service<Request, Response = Response, Error = Status> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(socket) => serve(socket, &service, &shared),
            Err(error) if error.kind() == ErrorKind::Closed => return Err(error),
            Err(error) => tracing::warn!(%error, "a socket could not be accepted"),
        }
    }
    // Those that wait are refused by word: not every peer learns otherwise that its request was not taken.
    while let Some(Ok(socket)) = listener.accept().now_or_never() {
        serve(socket, &service, &shared);
    }
    listener.close().await
}

fn serve<S>(socket: Socket, service: &S, shared: &Arc<Shared>)
where
    S: Service<Request, Response = Response, Error = Status> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    let connection = connection::run(socket, service.clone(), shared.clone());
    shared.connections.spawn(connection);
}
