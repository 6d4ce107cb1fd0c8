//! Answering the methods of an interface.

use crate::rpc::{
    BidiStream, CallKind, ClientStream, Context, Method, ServerStream, Status, Streaming, Unary,
};
use crate::server::Router;
use crate::server::handler::{self, Types};

/// For each method of an interface, the function that answers it. Handlers take and answer plain messages: how they
/// travel is said by the [`Method`].
impl Router {
    /// One message in, one out: `async fn(Context, Req) -> Result<Res, Status>`.
    #[must_use]
    pub fn unary_method<Req, Res, F, Fut>(self, method: &Method<Unary, Req, Res>, function: F) -> Self
    where
        Req: Send + 'static,
        Res: Send + 'static,
        F: Fn(Context, Req) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Res, Status>> + Send + 'static,
    {
        self.add(
            method.endpoint,
            CallKind::Unary,
            handler::unary(types(method), function),
        )
        .shaped(method.endpoint, method.request.shape(), method.response.shape())
        .described(method)
    }

    /// One message in, many out: `async fn(Context, Req) -> Result<Streaming<Res>, Status>`.
    #[must_use]
    pub fn server_stream_method<Req, Res, F, Fut>(
        self,
        method: &Method<ServerStream, Req, Res>,
        function: F,
    ) -> Self
    where
        Req: Send + 'static,
        Res: Send + 'static,
        F: Fn(Context, Req) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Streaming<Res>, Status>> + Send + 'static,
    {
        let handler = handler::server_stream(types(method), function);
        self.add(method.endpoint, CallKind::ServerStream, handler)
            .described(method)
    }

    /// Many messages in, one out: `async fn(Context, Streaming<Req>) -> Result<Res, Status>`.
    #[must_use]
    pub fn client_stream_method<Req, Res, F, Fut>(
        self,
        method: &Method<ClientStream, Req, Res>,
        function: F,
    ) -> Self
    where
        Req: Send + 'static,
        Res: Send + 'static,
        F: Fn(Context, Streaming<Req>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Res, Status>> + Send + 'static,
    {
        let handler = handler::client_stream(types(method), function);
        self.add(method.endpoint, CallKind::ClientStream, handler)
            .described(method)
    }

    /// Many messages in, many out: `async fn(Context, Streaming<Req>) -> Result<Streaming<Res>, Status>`.
    #[must_use]
    pub fn bidi_stream_method<Req, Res, F, Fut>(
        self,
        method: &Method<BidiStream, Req, Res>,
        function: F,
    ) -> Self
    where
        Req: Send + 'static,
        Res: Send + 'static,
        F: Fn(Context, Streaming<Req>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Streaming<Res>, Status>> + Send + 'static,
    {
        let handler = handler::bidi_stream(types(method), function);
        self.add(method.endpoint, CallKind::BidiStream, handler)
            .described(method)
    }

    /// An endpoint that was refused has been noted, and cannot be described.
    fn described<Kind, Req, Res>(self, method: &Method<Kind, Req, Res>) -> Self {
        match method.description {
            "" => self,
            description => self.describe(method.endpoint, "description", description),
        }
    }
}

fn types<Kind, Req, Res>(method: &Method<Kind, Req, Res>) -> Types<Req, Res> {
    Types {
        request: method.request,
        response: method.response,
    }
}
