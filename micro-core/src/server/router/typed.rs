//! Endpoints that are async functions, one for each kind of call.

use super::Router;
use crate::codec::Payload;
use crate::rpc::{CallKind, Context, Status, Streaming};
use crate::server::handler::{self, Types};

impl Router {
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
}
