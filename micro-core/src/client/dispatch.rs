//! From a request to its answer, for each of the four kinds of call.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};

use crate::client::Shared;
use crate::client::attempt::Attempts;
use crate::message::Text;
use crate::rpc::frame;
use crate::rpc::{Body, BodyStream, CallKind, Request, Response, Status};

/// Calls until there is an answer, or nothing more is safe to try, or the deadline passes.
pub(crate) async fn run(client: Arc<Shared>, request: Request) -> Result<Response, Status> {
    let deadline = request.context.deadline();
    if request.context.remaining() == Some(Duration::ZERO) {
        return Err(
            Status::deadline_exceeded("the deadline had passed before the call was made").never_delivered(),
        );
    }
    let context = request.context.clone();
    let content_type = request.content_type.clone();
    let answer = async {
        tokio::select! {
            biased;
            () = context.cancelled() => Err(Status::cancelled("the calling context was cancelled")),
            answer = by_kind(client, request) => readable(answer?, content_type),
        }
    };
    match deadline {
        Some(deadline) => match tokio::time::timeout_at(deadline, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(Status::deadline_exceeded(
                "the deadline passed before an answer came",
            )),
        },
        None => answer.await,
    }
}

/// An answer is in the encoding of its request, whether it says so or not.
fn readable(answer: Response, content_type: Text) -> Result<Response, Status> {
    let Response {
        metadata,
        content_type: said,
        body,
    } = answer;
    let body = match body {
        Body::One(body) => Body::One(frame::unframed(&content_type, body)?),
        Body::Many(items) => {
            let content_type = content_type.clone();
            Body::Many(BodyStream::new(
                items.map(move |item| frame::unframed(&content_type, item?)),
            ))
        }
    };
    let content_type = if said.is_empty() { content_type } else { said };
    let mut answer = Response::new(body).with_content_type(content_type);
    answer.metadata = metadata;
    Ok(answer)
}

async fn by_kind(client: Arc<Shared>, request: Request) -> Result<Response, Status> {
    let mut attempts = Attempts::new(client, &request);
    match (request.kind, &request.body) {
        (CallKind::Unary, Body::Many(_)) => Err(Status::invalid_argument("a unary call carries one message")),
        (CallKind::Unary, Body::One(body)) => unary(attempts, body.clone(), request).await,
        (CallKind::ServerStream, Body::One(body)) => server_stream(attempts, body.clone(), request).await,
        (CallKind::ClientStream, _) => client_stream(attempts, request).await,
        (CallKind::ServerStream | CallKind::BidiStream, _) => {
            let (_target, answers) = attempts.open(request).await?;
            Ok(many(answers))
        }
    }
}

async fn unary(mut attempts: Attempts, body: Bytes, request: Request) -> Result<Response, Status> {
    loop {
        let target = attempts.next().await?;
        match attempts.call(&target, same(&request, &body)).await {
            Err(failed) if attempts.may_try_again(&target, &failed) => {}
            answer => return answer,
        }
    }
}

/// Returns as soon as a node is dialled. Should the first thing it says be that nobody was there, the next is tried
/// before the caller sees anything.
async fn server_stream(mut attempts: Attempts, body: Bytes, request: Request) -> Result<Response, Status> {
    let (mut target, mut answers) = attempts.open(same(&request, &body)).await?;
    let first = async move {
        loop {
            match answers.next().await {
                Some(Err(failed)) if attempts.may_try_again(&target, &failed) => {
                    (target, answers) = attempts.open(same(&request, &body)).await?;
                }
                first => return Ok::<_, Status>(futures::stream::iter(first).chain(answers)),
            }
        }
    };
    Ok(many(futures::stream::once(first).try_flatten()))
}

async fn client_stream(mut attempts: Attempts, request: Request) -> Result<Response, Status> {
    let (_target, mut answers) = attempts.open(request).await?;
    match answers.next().await {
        Some(body) => Ok(Response::new(body?).with_content_type("")),
        None => Err(Status::internal("the stream ended without an answer")),
    }
}

fn many(answers: impl futures::Stream<Item = Result<Bytes, Status>> + Send + 'static) -> Response {
    Response::new(Body::Many(BodyStream::new(answers))).with_content_type("")
}

/// The same request once more.
fn same(request: &Request, body: &Bytes) -> Request {
    Request::new(request.service.clone(), request.endpoint.clone(), body.clone())
        .with_kind(request.kind)
        .with_content_type(request.content_type.clone())
        .with_context(request.context.clone())
}
