//! Which function answers which endpoint.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use futures::future::BoxFuture;
use tower::Service;

use crate::codec::Payload;
use crate::error::{Error, ErrorKind, Result};
use crate::name;
use crate::registry::{self, Value};
use crate::rpc::{CallKind, Context, Request, Response, Status, Streaming};
use crate::server::handler::{self, Handler, Types};

/// Endpoints by name, each answered by a plain async function.
///
/// A `Router` is a [`tower::Service`] from [`Request`] to [`Response`], so middleware of that ecosystem goes around
/// it. Cloning is cheap. A mistake made while it is built (an illegal name, one name twice) is kept, and reported
/// by [`check`](Router::check) when the server starts.
///
/// ```
/// use micro_core::rpc::{Context, Request, Status};
/// use micro_core::{Json, server::Router};
/// use tower::ServiceExt;
///
/// async fn hello(_: Context, Json(name): Json<String>) -> Result<Json<String>, Status> {
///     Ok(Json(format!("Hello {name}")))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Status> {
/// let router = Router::new().unary("Greeter.Hello", hello);
/// let request = Request::new("greeter", "Greeter.Hello", bytes::Bytes::from("\"Ada\""));
/// let answer = router.oneshot(request).await?.body.into_one();
/// assert_eq!(answer, "\"Hello Ada\"\n");
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct Router {
    routes: Arc<BTreeMap<String, Route>>,
    mistake: Option<Arc<Mistake>>,
}

#[derive(Clone)]
struct Route {
    handler: Handler,
    record: registry::Endpoint,
    public: bool,
}

struct Mistake {
    kind: ErrorKind,
    message: String,
}

impl Router {
    /// No endpoints.
    pub fn new() -> Self {
        Router::default()
    }

    /// One message in, one out: `async fn(Context, Req) -> Result<Res, Status>`.
    #[must_use]
    pub fn unary<Req, Res, F, Fut>(self, endpoint: &str, function: F) -> Self
    where
        Req: Payload,
        Res: Payload,
        F: Fn(Context, Req) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Res, Status>> + Send + 'static,
    {
        self.add(
            endpoint,
            CallKind::Unary,
            handler::unary(Types::payload(), function),
        )
        .shaped(endpoint, Req::shape(), Res::shape())
    }

    /// One message in, many out: `async fn(Context, Req) -> Result<Streaming<Res>, Status>`.
    #[must_use]
    pub fn server_stream<Req, Res, F, Fut>(self, endpoint: &str, function: F) -> Self
    where
        Req: Payload,
        Res: Payload,
        F: Fn(Context, Req) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Streaming<Res>, Status>> + Send + 'static,
    {
        self.add(
            endpoint,
            CallKind::ServerStream,
            handler::server_stream(Types::payload(), function),
        )
    }

    /// Many messages in, one out: `async fn(Context, Streaming<Req>) -> Result<Res, Status>`.
    #[must_use]
    pub fn client_stream<Req, Res, F, Fut>(self, endpoint: &str, function: F) -> Self
    where
        Req: Payload,
        Res: Payload,
        F: Fn(Context, Streaming<Req>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Res, Status>> + Send + 'static,
    {
        self.add(
            endpoint,
            CallKind::ClientStream,
            handler::client_stream(Types::payload(), function),
        )
    }

    /// Many messages in, many out: `async fn(Context, Streaming<Req>) -> Result<Streaming<Res>, Status>`.
    #[must_use]
    pub fn bidi_stream<Req, Res, F, Fut>(self, endpoint: &str, function: F) -> Self
    where
        Req: Payload,
        Res: Payload,
        F: Fn(Context, Streaming<Req>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Streaming<Res>, Status>> + Send + 'static,
    {
        self.add(
            endpoint,
            CallKind::BidiStream,
            handler::bidi_stream(Types::payload(), function),
        )
    }

    /// Any service from [`Request`] to [`Response`]: for answers with metadata, and for what is not typed.
    #[must_use]
    pub fn route<S>(self, endpoint: &str, kind: CallKind, service: S) -> Self
    where
        S: Service<Request, Response = Response, Error = Status> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        let handler: Handler =
            Arc::new(move |request| Box::pin(tower::ServiceExt::oneshot(service.clone(), request)));
        self.add(endpoint, kind, handler)
    }

    /// Takes in all endpoints of another router. A name that both have is a mistake.
    #[must_use]
    pub fn merge(mut self, other: Router) -> Self {
        self.mistake = self.mistake.take().or(other.mistake);
        other
            .routes
            .iter()
            .fold(self, |router, (name, route)| router.insert(name, route.clone()))
    }

    /// Leaves the endpoints added so far out of the registry; they can still be called.
    #[must_use]
    pub fn internal(mut self) -> Self {
        for route in Arc::make_mut(&mut self.routes).values_mut() {
            route.public = false;
        }
        self
    }

    /// Adds metadata to the registry's record of an endpoint, such as `description`.
    #[must_use]
    pub fn describe(mut self, endpoint: &str, key: &str, value: &str) -> Self {
        match Arc::make_mut(&mut self.routes).get_mut(endpoint) {
            Some(route) => {
                route.record.metadata.insert(key.into(), value.into());
                self
            }
            None => self.note(
                ErrorKind::NotFound,
                format!("cannot describe {endpoint:?}: no such endpoint"),
            ),
        }
    }

    /// Reports the first mistake made while the router was built.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for an illegal name, [`ErrorKind::AlreadyExists`] for one that is served twice.
    pub fn check(&self) -> Result<()> {
        match &self.mistake {
            Some(mistake) => Err(Error::new(mistake.kind, mistake.message.clone())),
            None => Ok(()),
        }
    }

    /// The records of the public endpoints, for the registry.
    pub fn endpoints(&self) -> Vec<registry::Endpoint> {
        self.routes
            .values()
            .filter(|route| route.public)
            .map(|route| route.record.clone())
            .collect()
    }

    /// The names of all endpoints, public or not.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.routes.keys().map(String::as_str)
    }

    pub(super) fn add(self, endpoint: &str, kind: CallKind, handler: Handler) -> Self {
        if let Err(error) = name::check_endpoint(endpoint) {
            return self.note(error.kind(), error.to_string());
        }
        self.insert(
            endpoint,
            Route {
                handler,
                record: record(endpoint, kind),
                public: true,
            },
        )
    }

    pub(super) fn shaped(mut self, endpoint: &str, request: Option<Value>, response: Option<Value>) -> Self {
        if let Some(route) = Arc::make_mut(&mut self.routes).get_mut(endpoint) {
            (route.record.request, route.record.response) = (request, response);
        }
        self
    }

    fn insert(mut self, endpoint: &str, route: Route) -> Self {
        if self.routes.contains_key(endpoint) {
            return self.note(
                ErrorKind::AlreadyExists,
                format!("endpoint {endpoint:?} is served twice"),
            );
        }
        Arc::make_mut(&mut self.routes).insert(endpoint.to_owned(), route);
        self
    }

    fn note(mut self, kind: ErrorKind, message: String) -> Self {
        self.mistake
            .get_or_insert_with(|| Arc::new(Mistake { kind, message }));
        self
    }

    fn unknown(&self, endpoint: &str) -> Status {
        if name::check_endpoint(endpoint).is_err() {
            return Status::invalid_argument(format!("rpc: service/endpoint request ill-formed: {endpoint}"));
        }
        let known = self
            .endpoints()
            .into_iter()
            .map(|e| e.name)
            .collect::<Vec<_>>()
            .join(", ");
        let (service, method) = endpoint.split_once('.').unwrap_or((endpoint, ""));
        let sibling = self
            .routes
            .keys()
            .any(|name| name.split('.').next() == Some(service));
        let what = if sibling {
            format!("method {method}")
        } else {
            format!("service {service}")
        };
        Status::unimplemented(format!("rpc: can't find {what}; known: {known}"))
    }
}

/// Endpoint records as go-micro writes them: a stream is marked, and takes a `Context` and answers a `Stream`.
fn record(endpoint: &str, kind: CallKind) -> registry::Endpoint {
    let record = registry::Endpoint::new(endpoint);
    if kind == CallKind::Unary {
        return record;
    }
    let named = |name: &str| {
        Some(Value {
            name: name.into(),
            kind: name.into(),
            values: Vec::new(),
        })
    };
    let mut record = record.with_metadata("stream", "true");
    (record.request, record.response) = (named("Context"), named("Stream"));
    record
}

impl Service<Request> for Router {
    type Response = Response;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Response, Status>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match self.routes.get(&*request.endpoint) {
            Some(route) => (route.handler)(request),
            None => Box::pin(std::future::ready(Err(self.unknown(&request.endpoint)))),
        }
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.routes.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Json;

    async fn echo(_: Context, value: Json<u32>) -> Result<Json<u32>, Status> {
        Ok(value)
    }

    #[test]
    fn one_name_twice_is_reported() {
        let router = Router::new().unary("A.B", echo).unary("A.B", echo);
        assert_eq!(router.check().unwrap_err().kind(), ErrorKind::AlreadyExists);
        let router = Router::new()
            .unary("A.B", echo)
            .merge(Router::new().unary("A.B", echo));
        assert_eq!(router.check().unwrap_err().kind(), ErrorKind::AlreadyExists);
    }

    #[test]
    fn an_illegal_name_is_reported() {
        let router = Router::new().unary("no dots", echo);
        assert_eq!(router.check().unwrap_err().kind(), ErrorKind::InvalidArgument);
    }

    #[test]
    fn internal_endpoints_stay_out_of_the_registry() {
        let router = Router::new()
            .unary("Debug.Health", echo)
            .internal()
            .unary("A.B", echo);
        let names: Vec<_> = router
            .endpoints()
            .into_iter()
            .map(|endpoint| endpoint.name)
            .collect();
        assert_eq!(names, ["A.B"]);
    }

    #[test]
    fn an_unknown_endpoint_is_answered_with_the_known_ones() {
        let status = Router::new().unary("A.B", echo).unknown("A.C");
        assert_eq!(status.message(), "rpc: can't find method C; known: A.B");
    }
}
