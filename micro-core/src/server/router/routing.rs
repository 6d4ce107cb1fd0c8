//! Requests, as they find their endpoints.

use std::task::{Context, Poll};

use futures::future::BoxFuture;
use tower::Service;

use super::Router;
use crate::error::Result;
use crate::name;
use crate::rpc::{Request, Response, Status};

impl Service<Request> for Router {
    type Response = Response;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Response, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match self.routes.get(&*request.endpoint) {
            Some(route) => (route.handler)(request),
            None => Box::pin(std::future::ready(Err(self.unknown(&request.endpoint)))),
        }
    }
}

impl Router {
    pub(super) fn unknown(&self, endpoint: &str) -> Status {
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
