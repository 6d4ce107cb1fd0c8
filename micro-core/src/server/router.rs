//! Which function answers which endpoint.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tower::Service;

use crate::error::{Error, ErrorKind, Result};
use crate::name;
use crate::registry::{self, Value};
use crate::rpc::{CallKind, Request, Response, Status};
use crate::server::handler::Handler;

mod route;
mod routing;
#[cfg(test)]
mod tests;
mod typed;

use route::{Route, record};

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

struct Mistake {
    kind: ErrorKind,
    message: String,
}

impl Router {
    /// No endpoints.
    pub fn new() -> Self {
        Router::default()
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
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.routes.keys()).finish()
    }
}
