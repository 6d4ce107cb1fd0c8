//! The calling side: finds a node, shares sockets, matches answers, and tries elsewhere where that is safe.

mod attempt;
mod backoff;
mod budget;
mod builder;
mod call;
mod calling;
mod calls;
mod clock;
mod connection;
mod dispatch;
mod driver;
mod hedge;
mod in_flight;
mod latencies;
mod layered;
mod line;
mod options;
mod plan;
mod pool;
mod pulse;
mod replay;
mod retries;
mod stream;
mod streaming;
mod stub;
mod unreached;

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::Instant;
use tower::Service;

use crate::observe::{self, Observed};
use crate::rpc::{Request, Response, Status};
use crate::selector::Selector;
use budget::Bucket;
use latencies::Latencies;
use plan::Plan;
use pool::Pool;

pub use backoff::Backoff;
pub use budget::RetryBudget;
pub use builder::ClientBuilder;
pub use call::Call;
pub use hedge::Hedge;
pub use layered::Calls;
pub use options::ClientOptions;
pub use stub::Stub;

pub use crate::rpc::{BidiStream, ClientStream, ServerStream, Unary};

#[cfg(test)]
mod tests;

/// How long a socket that cannot be written to may take to say why. Backends say it at once.
const VERDICT: Duration = Duration::from_secs(1);

/// Calls services by name. Cloning is cheap, and clones share their sockets.
///
/// Unary calls to one node share one socket, told apart by id and answered in any order; a stream gets a socket of
/// its own. Which node is called is the [selector](crate::selector)'s choice among those the registry knows.
///
/// A call that was **never delivered** is made again on another node by itself. One that may have run is not, unless
/// it says that it is [idempotent](Call::idempotent), and then after a [pause](Backoff) and within a
/// [budget](RetryBudget).
///
/// A `Client` is a [`tower::Service`] from [`Request`] to [`Response`], so middleware of that ecosystem goes around
/// it. The typed calls ([`unary`](Client::unary) and its siblings) go through what [`layer`](Client::layer) adds.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
    layers: Option<layered::Layers>,
}

/// What all clones of one client share.
#[derive(Debug)]
pub(crate) struct Shared {
    selector: Selector,
    pool: Pool,
    budget: Bucket,
    latencies: Latencies,
    options: ClientOptions,
}

impl Client {
    /// A client needs a transport and a registry.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// What it does when a call says nothing else.
    pub fn options(&self) -> &ClientOptions {
        &self.shared.options
    }

    /// How many unary calls, of all clones, wait for an answer now.
    pub fn in_flight(&self) -> usize {
        self.shared.pool.in_flight()
    }

    /// Makes one untyped call; a unary one without a deadline gets the client's.
    ///
    /// # Errors
    /// What the call ended with: `NotFound` when nobody serves it, `Unavailable` when no node could be reached,
    /// `DeadlineExceeded`, or what the handler answered.
    ///
    /// # Cancel safety
    /// Dropping the future ends the call: its entry is removed, the peer is told, and the handler there is cancelled.
    pub async fn send(&self, mut request: Request) -> Result<Response, Status> {
        self.send_to(&mut request, &mut Plan::default()).await
    }

    /// Takes what it needs out of the two: held in one place, they are not copied from future to future.
    async fn send_to(&self, request: &mut Request, plan: &mut Plan) -> Result<Response, Status> {
        match (observe::client(request), &self.layers) {
            (None, None) => dispatch::run(&self.shared, request, plan).await,
            // What is rare is boxed, so that it does not make the future of every call larger.
            (observed, _) => Box::pin(self.send_watched(observed, request, plan)).await,
        }
    }

    async fn send_watched(
        &self,
        observed: Option<Observed>,
        request: &mut Request,
        plan: &mut Plan,
    ) -> Result<Response, Status> {
        // Layers are bounded, too.
        dispatch::bound(&self.shared, request, Instant::now());
        let answer = async {
            match self.layers.clone() {
                Some(layers) => layers.send(request.take(), std::mem::take(plan)).await,
                None => dispatch::run(&self.shared, request, plan).await,
            }
        };
        match observed {
            Some(observed) => observed.answer(answer).await,
            None => answer.await,
        }
    }
}

impl Service<Request> for Client {
    type Response = Response;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Response, Status>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let client = self.clone();
        Box::pin(async move { client.send(request).await })
    }
}
