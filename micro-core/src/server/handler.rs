//! From typed functions to untyped endpoints: one adapter for each of the four kinds of call.

use std::future::ready;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};

use crate::codec::{Codec, Marshaller, Payload};
use crate::message::Text;
use crate::rpc::{Body, Context, Request, Response, Status, Streaming};

/// An endpoint, whatever its types.
pub(crate) type Handler = Arc<dyn Fn(Request) -> BoxFuture<'static, Result<Response, Status>> + Send + Sync>;

/// How what an endpoint takes and answers travels.
pub(crate) struct Types<Req, Res> {
    pub(crate) request: Marshaller<Req>,
    pub(crate) response: Marshaller<Res>,
}

impl<Req: Payload, Res: Payload> Types<Req, Res> {
    /// As the types say themselves.
    pub(crate) fn payload() -> Self {
        Types {
            request: Marshaller::payload(),
            response: Marshaller::payload(),
        }
    }
}

impl<Req, Res> Clone for Types<Req, Res> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Req, Res> Copy for Types<Req, Res> {}

/// One message in, one out.
pub(crate) fn unary<Req, Res, F, Fut>(types: Types<Req, Res>, function: F) -> Handler
where
    Req: Send + 'static,
    Res: Send + 'static,
    F: Fn(Context, Req) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Res, Status>> + Send + 'static,
{
    erase(move |parts| {
        let Parts { context, how, body } = parts;
        let streamed = matches!(body, Body::Many(_));
        match types.request.decode(how.codec, body.into_one()) {
            Ok(request) => function(context, request)
                .map(move |answer| how.one(answer?, types.response))
                .left_future(),
            Err(error) => ready(Err(undecodable(error, streamed))).right_future(),
        }
    })
}

/// One message in, many out.
pub(crate) fn server_stream<Req, Res, F, Fut>(types: Types<Req, Res>, function: F) -> Handler
where
    Req: Send + 'static,
    Res: Send + 'static,
    F: Fn(Context, Req) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Streaming<Res>, Status>> + Send + 'static,
    F: Clone,
{
    erase(move |parts| {
        let Parts { context, how, body } = parts;
        let function = function.clone();
        async move {
            let request = first(Streaming::decode(
                body.into_many(),
                how.codec,
                types.request,
                Status::from,
            ))
            .await?;
            Ok(how.many(function(context, request).await?, types.response))
        }
    })
}

/// Many messages in, one out.
pub(crate) fn client_stream<Req, Res, F, Fut>(types: Types<Req, Res>, function: F) -> Handler
where
    Req: Send + 'static,
    Res: Send + 'static,
    F: Fn(Context, Streaming<Req>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Res, Status>> + Send + 'static,
{
    erase(move |parts| {
        let Parts { context, how, body } = parts;
        let requests = Streaming::decode(body.into_many(), how.codec, types.request, Status::from);
        function(context, requests).map(move |answer| how.one(answer?, types.response))
    })
}

/// Many messages in, many out.
pub(crate) fn bidi_stream<Req, Res, F, Fut>(types: Types<Req, Res>, function: F) -> Handler
where
    Req: Send + 'static,
    Res: Send + 'static,
    F: Fn(Context, Streaming<Req>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Streaming<Res>, Status>> + Send + 'static,
{
    erase(move |parts| {
        let Parts { context, how, body } = parts;
        let requests = Streaming::decode(body.into_many(), how.codec, types.request, Status::from);
        function(context, requests).map_ok(move |answers| how.many(answers, types.response))
    })
}

struct Parts {
    context: Context,
    how: Encoding,
    body: Body,
}

/// What the caller chose, which is what it is answered in.
struct Encoding {
    codec: Codec,
    content_type: Text,
}

impl Encoding {
    fn one<T>(self, answer: T, how: Marshaller<T>) -> Result<Response, Status> {
        let body = how.encode(&answer, self.codec).map_err(unencodable)?;
        Ok(Response::new(body).with_content_type(self.content_type))
    }

    fn many<T: Send + 'static>(self, answers: Streaming<T>, how: Marshaller<T>) -> Response {
        let body = Body::Many(answers.encode(self.codec, how, unencodable));
        Response::new(body).with_content_type(self.content_type)
    }
}

/// Here and above without `async` blocks, where combinators do: a future that a block takes and awaits is in it twice.
fn erase<F, Fut>(function: F) -> Handler
where
    F: Fn(Parts) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Response, Status>> + Send + 'static,
{
    Arc::new(move |request: Request| {
        let Request {
            context,
            content_type,
            body,
            ..
        } = request;
        match Codec::of(&content_type) {
            Ok(codec) => {
                let how = Encoding { codec, content_type };
                let answer = function(Parts { context, how, body });
                // That a call within it was never delivered is no reason to make this one again.
                Box::pin(answer.map_err(Status::after_running))
            }
            Err(error) => Box::pin(ready(Err(error.into()))),
        }
    })
}

/// What opens a stream is no request, unless its caller is one who knows that only its opening is read.
fn undecodable(error: crate::Error, streamed: bool) -> Status {
    match streamed {
        false => error.into(),
        true => Status::invalid_argument(format!(
            "this endpoint answers one message with one, and was called as a stream; call it as unary ({error})"
        )),
    }
}

async fn first<T: Send + 'static>(mut requests: Streaming<T>) -> Result<T, Status> {
    match requests.next().await {
        Some(request) => request,
        None => Err(Status::invalid_argument(
            "the stream ended before its request came",
        )),
    }
}

/// What the handler made cannot be said in the codec that the caller chose: that is no fault of the caller, unless
/// the value does not speak it at all.
fn unencodable(error: crate::Error) -> Status {
    match error.kind() {
        crate::ErrorKind::Unsupported => error.into(),
        _ => Status::internal(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::codec::OCTET_STREAM;

    async fn large(_: Context, request: Bytes) -> Result<Bytes, Status> {
        let held = [1_u8; 4096];
        tokio::task::yield_now().await;
        assert_eq!(held.len(), 4096);
        Ok(request)
    }

    #[tokio::test]
    async fn a_call_holds_the_future_of_its_handler_once() {
        let alone = size_of_val(&large(Context::new(), Bytes::new()));
        let request = Request::new("test", "Test.Large", Bytes::from("body")).with_content_type(OCTET_STREAM);
        let called = unary(Types::payload(), large)(request);
        let more = size_of_val(&*called) - alone;
        assert!(alone > 4096 && more < 256, "{more} bytes more than {alone}");
        assert_eq!(called.await.unwrap().body.into_one(), "body");
    }
}
