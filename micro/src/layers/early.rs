//! Answers a request before it gets further.

use std::ops::ControlFlow;
use std::task::{Context as TaskContext, Poll};

use futures::future::BoxFuture;
use micro_core::{Request, Response, Status};
use tower::{BoxError, Layer, Service, ServiceExt};

/// A layer that asks a function about each request: `Break` is the answer, which comes at once, and `Continue` goes on
/// with the request, changed or not.
///
/// What is answered early reaches neither the layers below, nor a handler, nor a socket: a page of maintenance, an answer
/// that is known already, a refusal. Since it needs nothing of what is below, it comes also when that takes no more. A
/// [refusal](Status::never_delivered) on the server's side that says so makes the caller try another node.
///
/// ```
/// use std::ops::ControlFlow::{Break, Continue};
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// use micro::layers::early_answer;
/// use micro::prelude::*;
///
/// # async fn read(_: Context, _: Json<()>) -> Result<Json<u32>, Status> { Ok(Json(1)) }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> micro::Result<()> {
/// let maintained = Arc::new(AtomicBool::new(false));
/// let maintenance = {
///     let maintained = maintained.clone();
///     early_answer(move |request: micro::Request| {
///         let closed = maintained.load(Ordering::Relaxed) && &*request.endpoint != "Debug.Health";
///         async move {
///             match closed {
///                 true => Break(Err(Status::unavailable("back at noon").never_delivered())),
///                 false => Continue(request),
///             }
///         }
///     })
/// };
/// let service = Service::builder("store")
///     .serve(Router::new().unary("Store.Read", read))
///     .layer(maintenance)
///     .start()
///     .await?;
/// let ask = || service.client().unary::<_, Json<u32>>("store", "Store.Read", Json(()));
/// assert_eq!(ask().await, Ok(Json(1)));
/// maintained.store(true, Ordering::Relaxed);
/// assert_eq!(ask().await.unwrap_err().code(), Code::Unavailable);
/// # Ok(()) }
/// ```
///
/// # Cancel safety
/// A call that is dropped drops the future of the function.
pub fn early_answer<F, Fut>(decide: F) -> EarlyAnswerLayer<F>
where
    F: Fn(Request) -> Fut,
    Fut: Future<Output = ControlFlow<Result<Response, Status>, Request>>,
{
    EarlyAnswerLayer(decide)
}

/// The layer that [`early_answer`] makes.
#[derive(Clone, Copy, Debug)]
pub struct EarlyAnswerLayer<F>(F);

impl<S, F: Clone> Layer<S> for EarlyAnswerLayer<F> {
    type Service = EarlyAnswer<S, F>;

    fn layer(&self, inner: S) -> Self::Service {
        EarlyAnswer {
            inner,
            decide: self.0.clone(),
        }
    }
}

/// A service behind [`early_answer`].
#[derive(Clone, Copy, Debug)]
pub struct EarlyAnswer<S, F> {
    inner: S,
    decide: F,
}

impl<S, F, Fut> Service<Request> for EarlyAnswer<S, F>
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    F: Fn(Request) -> Fut,
    Fut: Future<Output = ControlFlow<Result<Response, Status>, Request>> + Send + 'static,
{
    type Response = Response;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Response, Status>>;

    /// Always ready: whether what is below is, matters only to what gets there.
    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let decided = (self.decide)(request);
        let inner = self.inner.clone();
        Box::pin(async move {
            match decided.await {
                ControlFlow::Break(answer) => answer,
                ControlFlow::Continue(request) => {
                    let answer = inner.oneshot(request).await;
                    answer.map_err(|error| Status::from(error.into()))
                }
            }
        })
    }
}
