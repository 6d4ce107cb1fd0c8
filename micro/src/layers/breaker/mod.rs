//! Stops calling what does not answer well, and tries again later.

mod circuit;
mod circuits;
mod options;
mod window;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, Stream, StreamExt};
use micro_core::rpc::{Body, BodyStream};
use micro_core::{Request, Response, Status};
use tower::{BoxError, Layer, Service};

use circuits::{Circuits, Through};

pub use circuit::CircuitState;
pub use options::CircuitBreakerOptions;

/// A layer with a circuit for each endpoint: when too many calls of one fail, those that follow are refused at once,
/// for a while, and then a few are let through to see whether it is well again.
///
/// It spares callers the wait, and what is called the load. It is meant for clients, where it goes by service and
/// endpoint, and not by node: a node that fails is the selector's matter, and what a circuit opens for is what all nodes
/// have in common, such as their database. So an endpoint that fails leaves the others of its service alone.
///
/// A refusal is `Unavailable`, and never delivered. What counts is only what speaks of the health of whoever is called
/// ([`CircuitBreakerOptions::speaks_ill`]); a call that is dropped counts for nothing; of a stream, what counts is how it
/// begins.
/// Up to 1,024 endpoints have a circuit.
///
/// Clones share their circuits, and so do the services that a layer wraps.
///
/// ```
/// use micro::layers::{CircuitBreakerLayer, CircuitBreakerOptions, CircuitState};
/// use micro::prelude::*;
///
/// # async fn never(_: Context, _: Json<()>) -> Result<Json<()>, Status> { Err(Status::unavailable("no database")) }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> micro::Result<()> {
/// # let service = Service::builder("users").serve(Router::new().unary("Users.Name", never)).start().await?;
/// let breaker = CircuitBreakerLayer::new(CircuitBreakerOptions::default().with_minimum_calls(10));
/// let client = service.client().layer(breaker.clone());
/// for _ in 0..10 {
///     let call = client.unary::<_, Json<()>>("users", "Users.Name", Json(()));
///     assert_eq!(call.await.unwrap_err().message(), "no database");
/// }
/// assert_eq!(breaker.state("users", "Users.Name"), CircuitState::Open);
/// let call = client.unary::<_, Json<()>>("users", "Users.Name", Json(()));
/// assert!(call.await.unwrap_err().is_never_delivered());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct CircuitBreakerLayer(Arc<Circuits>);

impl CircuitBreakerLayer {
    /// A layer whose circuits are all closed.
    pub fn new(options: CircuitBreakerOptions) -> Self {
        CircuitBreakerLayer(Arc::new(Circuits::new(options)))
    }

    /// The state of one circuit: closed also where nobody has called yet.
    pub fn state(&self, service: &str, endpoint: &str) -> CircuitState {
        self.0.state(service, endpoint)
    }
}

impl Default for CircuitBreakerLayer {
    fn default() -> Self {
        CircuitBreakerLayer::new(CircuitBreakerOptions::default())
    }
}

impl<S> Layer<S> for CircuitBreakerLayer {
    type Service = CircuitBreaker<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CircuitBreaker {
            inner,
            circuits: self.0.clone(),
        }
    }
}

/// A service behind a [`CircuitBreakerLayer`].
#[derive(Clone, Debug)]
pub struct CircuitBreaker<S> {
    inner: S,
    circuits: Arc<Circuits>,
}

impl<S> Service<Request> for CircuitBreaker<S>
where
    S: Service<Request, Response = Response>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Response, Status>>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Status>> {
        let ready = self.inner.poll_ready(cx);
        ready.map_err(|error| Status::from(error.into()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let through = match self.circuits.admit(&request) {
            Ok(through) => through,
            Err(refusal) => return Box::pin(std::future::ready(Err(refusal))),
        };
        let answer = self.inner.call(request);
        answer
            .map(|answer| judged(answer.map_err(|error| Status::from(error.into())), through))
            .boxed()
    }
}

fn judged(answer: Result<Response, Status>, through: Through) -> Result<Response, Status> {
    let mut answer = match answer {
        Ok(answer) => answer,
        Err(status) => {
            through.settle(Err(&status));
            return Err(status);
        }
    };
    answer.body = match answer.body {
        Body::One(body) => {
            through.settle(Ok(()));
            Body::One(body)
        }
        Body::Many(items) => Body::Many(BodyStream::new(Judged {
            items,
            through: Some(through),
        })),
    };
    Ok(answer)
}

/// The answers of a stream that goes through a circuit.
struct Judged {
    items: BodyStream,
    through: Option<Through>,
}

impl Stream for Judged {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.items.poll_next_unpin(cx);
        let Poll::Ready(first) = &polled else {
            return polled;
        };
        // Its first item is enough: its end may be hours away, and a probe that runs keeps all others out.
        if let Some(through) = self.through.take() {
            through.settle(match first {
                Some(Err(status)) => Err(status),
                _ => Ok(()),
            });
        }
        polled
    }
}

#[cfg(test)]
mod tests;
