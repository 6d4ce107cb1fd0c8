//! From typed functions to untyped endpoints: one adapter for each of the four kinds of call.

use std::sync::Arc;

use futures::future::BoxFuture;

use crate::codec::{Codec, Payload};
use crate::message::Text;
use crate::rpc::{Body, Context, Request, Response, Status, Streaming};

/// An endpoint, whatever its types.
pub(crate) type Handler = Arc<dyn Fn(Request) -> BoxFuture<'static, Result<Response, Status>> + Send + Sync>;

/// One message in, one out.
pub(crate) fn unary<Req, Res, F, Fut>(function: F) -> Handler
where
    Req: Payload,
    Res: Payload,
    F: Fn(Context, Req) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Res, Status>> + Send + 'static,
{
    erase(
        move |Parts {
                  context,
                  codec,
                  body,
                  content_type,
              }| {
            let answer = one(codec, body).map(|request| function(context, request));
            async move { answer_one(answer?.await?, codec, content_type) }
        },
    )
}

/// One message in, many out.
pub(crate) fn server_stream<Req, Res, F, Fut>(function: F) -> Handler
where
    Req: Payload,
    Res: Payload,
    F: Fn(Context, Req) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Streaming<Res>, Status>> + Send + 'static,
    F: Clone,
{
    erase(
        move |Parts {
                  context,
                  codec,
                  body,
                  content_type,
              }| {
            let function = function.clone();
            async move {
                let request = first(codec, body).await?;
                Ok(answer_many(
                    function(context, request).await?,
                    codec,
                    content_type,
                ))
            }
        },
    )
}

/// Many messages in, one out.
pub(crate) fn client_stream<Req, Res, F, Fut>(function: F) -> Handler
where
    Req: Payload,
    Res: Payload,
    F: Fn(Context, Streaming<Req>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Res, Status>> + Send + 'static,
{
    erase(
        move |Parts {
                  context,
                  codec,
                  body,
                  content_type,
              }| {
            let answer = function(context, Streaming::decode(body.into_many(), codec));
            async move { answer_one(answer.await?, codec, content_type) }
        },
    )
}

/// Many messages in, many out.
pub(crate) fn bidi_stream<Req, Res, F, Fut>(function: F) -> Handler
where
    Req: Payload,
    Res: Payload,
    F: Fn(Context, Streaming<Req>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Streaming<Res>, Status>> + Send + 'static,
{
    erase(
        move |Parts {
                  context,
                  codec,
                  body,
                  content_type,
              }| {
            let answer = function(context, Streaming::decode(body.into_many(), codec));
            async move { Ok(answer_many(answer.await?, codec, content_type)) }
        },
    )
}

struct Parts {
    context: Context,
    codec: Codec,
    content_type: Text,
    body: Body,
}

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
                let answer = function(Parts {
                    context,
                    codec,
                    content_type,
                    body,
                });
                // That a call within it was never delivered is no reason to make this one again.
                Box::pin(async move { answer.await.map_err(Status::after_running) })
            }
            Err(error) => Box::pin(std::future::ready(Err(error.into()))),
        }
    })
}

fn one<T: Payload>(codec: Codec, body: Body) -> Result<T, Status> {
    Ok(T::decode(codec, body.into_one())?)
}

async fn first<T: Payload>(codec: Codec, body: Body) -> Result<T, Status> {
    match Streaming::decode(body.into_many(), codec).next().await {
        Some(request) => request,
        None => Err(Status::invalid_argument(
            "the stream ended before its request came",
        )),
    }
}

fn answer_one<T: Payload>(answer: T, codec: Codec, content_type: Text) -> Result<Response, Status> {
    let body = answer.encode(codec).map_err(unencodable)?;
    Ok(Response::new(body).with_content_type(content_type))
}

fn answer_many<T: Payload>(answers: Streaming<T>, codec: Codec, content_type: Text) -> Response {
    Response::new(Body::Many(answers.encode(codec, unencodable))).with_content_type(content_type)
}

/// What the handler made cannot be said in the codec that the caller chose: that is no fault of the caller, unless
/// the value does not speak it at all.
fn unencodable(error: crate::Error) -> Status {
    match error.kind() {
        crate::ErrorKind::Unsupported => error.into(),
        _ => Status::internal(error.to_string()),
    }
}
