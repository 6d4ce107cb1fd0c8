//! From a request to its answer, for each of the four kinds of call.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};

use crate::client::Shared;
use crate::client::attempt::Attempts;
use crate::client::replay::Replay;
use crate::client::stream::Answers;
use crate::message::Text;
use crate::rpc::frame;
use crate::rpc::{Body, BodyStream, CallKind, Request, Response, Status};
use crate::selector::{Choice, Target};

/// Calls until there is an answer, or nothing more is safe to try, or the deadline passes.
pub(crate) async fn run(client: Arc<Shared>, request: Request, choice: Choice) -> Result<Response, Status> {
    let deadline = request.context.deadline();
    if request.context.remaining() == Some(Duration::ZERO) {
        return Err(
            Status::deadline_exceeded("the deadline had passed before the call was made").never_delivered(),
        );
    }
    let watched = request
        .context
        .can_be_cancelled()
        .then(|| request.context.clone());
    let cancelled = async {
        match watched {
            Some(context) => context.cancelled().await,
            None => std::future::pending().await,
        }
    };
    let content_type = request.content_type.clone();
    let answer = async {
        tokio::select! {
            biased;
            () = cancelled => Err(Status::cancelled("the calling context was cancelled")),
            answer = by_kind(client, request, choice) => readable(answer?, content_type),
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

async fn by_kind(client: Arc<Shared>, request: Request, choice: Choice) -> Result<Response, Status> {
    let attempts = Attempts::new(client, &request, choice);
    match (request.kind, &request.body) {
        (CallKind::Unary, Body::Many(_)) => Err(Status::invalid_argument("a unary call carries one message")),
        (CallKind::Unary, Body::One(body)) => unary(attempts, body.clone(), request).await,
        (CallKind::ClientStream, _) => client_stream(attempts, request).await,
        (CallKind::ServerStream | CallKind::BidiStream, _) => stream(attempts, request).await,
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

/// Returns as soon as a node is dialled, and tries others as [`heard`] does.
async fn stream(mut attempts: Attempts, request: Request) -> Result<Response, Status> {
    let (request, replay) = replayed(request);
    let opened = attempts.open(again(&request, &replay)?).await?;
    let first = async move {
        let (first, answers) = heard(attempts, opened, request, replay).await?;
        Ok::<_, Status>(futures::stream::iter(first).chain(answers))
    };
    Ok(many(futures::stream::once(first).try_flatten()))
}

async fn client_stream(mut attempts: Attempts, request: Request) -> Result<Response, Status> {
    let (request, replay) = replayed(request);
    let opened = attempts.open(again(&request, &replay)?).await?;
    match heard(attempts, opened, request, replay).await? {
        (Some(body), _) => Ok(Response::new(body?).with_content_type("")),
        (None, _) => Err(Status::internal("the stream ended without an answer")),
    }
}

/// Waits for the first thing that a node says. Should it be that nobody was there, the next node is tried, before the
/// caller sees anything, with what the caller has sent so far.
async fn heard(
    mut attempts: Attempts,
    opened: (Arc<Target>, Answers),
    request: Request,
    replay: Replay,
) -> Result<(Option<Result<Bytes, Status>>, Answers), Status> {
    let (mut target, mut answers) = opened;
    loop {
        match answers.next().await {
            Some(Err(failed)) if attempts.may_try_again(&target, &failed) => {
                let Ok(next) = again(&request, &replay) else {
                    return Err(failed);
                };
                (target, answers) = attempts.open(next).await?;
            }
            first => return Ok((first, answers)),
        }
    }
}

/// Takes the messages out of a request, so that they can be sent again.
fn replayed(mut request: Request) -> (Request, Replay) {
    let body = std::mem::replace(&mut request.body, Body::One(Bytes::new()));
    (request, Replay::new(body.into_many()))
}

/// The same stream once more.
fn again(request: &Request, replay: &Replay) -> Result<Request, Status> {
    let messages = replay
        .read()
        .ok_or_else(|| Status::unavailable("too much was sent to send it again"))?;
    Ok(with_body(request, Body::Many(messages)))
}

fn many(answers: impl futures::Stream<Item = Result<Bytes, Status>> + Send + 'static) -> Response {
    Response::new(Body::Many(BodyStream::new(answers))).with_content_type("")
}

/// The same request once more.
fn same(request: &Request, body: &Bytes) -> Request {
    with_body(request, Body::One(body.clone()))
}

fn with_body(request: &Request, body: Body) -> Request {
    Request::new(request.service.clone(), request.endpoint.clone(), body)
        .with_kind(request.kind)
        .with_content_type(request.content_type.clone())
        .with_context(request.context.clone())
}
