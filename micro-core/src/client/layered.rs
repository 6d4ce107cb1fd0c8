//! Middleware that all calls of a client go through.

use std::fmt;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use futures::future::BoxFuture;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Layer, Service, ServiceExt};

use crate::client::plan::Plan;
use crate::client::{Client, Shared, dispatch};
use crate::rpc::{Request, Response, Status};

/// The calls of a client, as a layer gets them.
pub type Calls = BoxCloneSyncService<Request, Response, Status>;

/// What calls go through.
#[derive(Clone)]
pub(super) struct Layers(Calls);

impl Client {
    /// A client whose calls, typed ones too, go through a layer of the tower ecosystem as well; what is added last
    /// sees a request first. It shares the sockets of this one.
    ///
    /// A layer sees one request for each call, whatever number of nodes are tried below it. Deadline and cancellation of
    /// a call bound what its layers do, too. A layer hands on the request that it got, changed or not: a new one has
    /// lost what its call said of the nodes that it may go to.
    ///
    /// What a layer fails with, the call fails with, as a [`Status`] is made of it.
    #[must_use]
    pub fn layer<L>(&self, layer: L) -> Client
    where
        L: Layer<Calls>,
        L::Service: Service<Request, Response = Response> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Error: Into<BoxError> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        let below = match &self.layers {
            Some(Layers(below)) => below.clone(),
            None => Calls::new(Innermost(self.shared.clone())),
        };
        let failed = |error: <L::Service as Service<Request>>::Error| Status::from(error.into());
        Client {
            shared: self.shared.clone(),
            layers: Some(Layers(Calls::new(layer.layer(below).map_err(failed)))),
        }
    }
}

impl Layers {
    /// Makes one call through all of them.
    pub(super) async fn send(self, mut request: Request, plan: Plan) -> Result<Response, Status> {
        let context = request.context.clone();
        request.noted = Some(Box::new(plan));
        let answer = async {
            tokio::select! {
                biased;
                answer = self.0.oneshot(request) => answer,
                () = context.cancelled() => Err(Status::cancelled("the calling context was cancelled")),
            }
        };
        match context.deadline() {
            None => answer.await,
            Some(deadline) => tokio::time::timeout_at(deadline, answer)
                .await
                .unwrap_or_else(|_| Err(Status::deadline_exceeded("the deadline passed in middleware"))),
        }
    }
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Layers")
    }
}

/// The calls of a client without layers.
#[derive(Clone)]
struct Innermost(Arc<Shared>);

impl Service<Request> for Innermost {
    type Response = Response;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Response, Status>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let noted = request.noted.take().and_then(|noted| noted.downcast().ok());
        let mut plan = noted.map_or_else(Plan::default, |plan| *plan);
        let shared = self.0.clone();
        Box::pin(async move { dispatch::run(&shared, &mut request, &mut plan).await })
    }
}
