//! Calls with a stream in at least one direction: each has a socket of its own.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};

use crate::client::attempt::Attempts;
use crate::client::dispatch::within;
use crate::client::replay::Replay;
use crate::client::stream::Answers;
use crate::rpc::items::Chunk;
use crate::rpc::{Body, BodyStream, Request, Response, Status};
use crate::selector::Pick;

/// Returns as soon as a node is dialled, and tries others as [`heard`] does.
pub(super) async fn many_answers(mut attempts: Attempts, request: Request) -> Result<Response, Status> {
    let (request, replay) = replayed(request);
    let opened = attempts.open(again(&request, &replay)?).await?;
    let first = async move {
        let (first, answers) = heard(attempts, opened, request, replay).await?;
        Ok::<_, Status>(futures::stream::iter(first).chain(answers))
    };
    Ok(many(futures::stream::once(first).try_flatten()))
}

/// Waits for the answer.
pub(super) async fn one_answer(mut attempts: Attempts, request: Request) -> Result<Response, Status> {
    let (request, replay) = replayed(request);
    let opened = attempts.open(again(&request, &replay)?).await?;
    let (first, _) = heard(attempts, opened, request, replay).await?;
    match first.transpose()?.and_then(Chunk::into_first) {
        Some(body) => Ok(Response::new(body).with_content_type("")),
        None => Err(Status::internal("the stream ended without an answer")),
    }
}

/// Waits for the first thing that a node says. Should it be that nobody was there, the next node is tried, before the
/// caller sees anything, with what the caller has sent so far.
async fn heard(
    mut attempts: Attempts,
    opened: (Pick, Answers),
    request: Request,
    replay: Replay,
) -> Result<(Option<Result<Chunk, Status>>, Answers), Status> {
    let (mut pick, mut answers) = opened;
    let deadline = request.context.deadline();
    loop {
        match answers.next().await {
            Some(Err(failed)) if attempts.may_try_again(&pick, &failed, deadline) => {
                let Ok(next) = again(&request, &replay) else {
                    return Err(failed);
                };
                // The answers of a stream are read after the call has returned, so that nobody else looks at the time.
                (pick, answers) = within(&request.context, attempts.open(next)).await?;
            }
            first => {
                if matches!(first, None | Some(Ok(_))) {
                    attempts.answered(&pick);
                }
                replay.forget();
                return Ok((first, answers));
            }
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
    Ok(Request::new(
        request.service.clone(),
        request.endpoint.clone(),
        Body::Many(messages),
    )
    .with_kind(request.kind)
    .with_content_type(request.content_type.clone())
    .with_context(request.context.clone()))
}

fn many(answers: impl futures::Stream<Item = Result<Chunk, Status>> + Send + 'static) -> Response {
    Response::new(Body::Many(BodyStream::of_chunks(answers))).with_content_type("")
}
