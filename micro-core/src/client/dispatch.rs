//! From a request to its answer, for each of the four kinds of call.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::time::sleep_until;

use crate::client::attempt::Attempts;
use crate::client::{Shared, streaming};
use crate::message::Text;
use crate::rpc::frame;
use crate::rpc::{Body, BodyStream, CallKind, Context, Request, Response, Status};
use crate::selector::Choice;

/// Calls until there is an answer, or nothing more is safe to try, or the deadline passes.
pub(crate) async fn run(
    client: Arc<Shared>,
    mut request: Request,
    choice: Choice,
) -> Result<Response, Status> {
    if request.context.remaining() == Some(Duration::ZERO) {
        return Err(
            Status::deadline_exceeded("the deadline had passed before the call was made").never_delivered(),
        );
    }
    let attempts = Attempts::new(client, &request, choice);
    if request.kind == CallKind::Unary {
        let answer = unary(attempts, &mut request).await?;
        return readable(answer, request.content_type);
    }
    let (context, content_type) = (request.context.clone(), request.content_type.clone());
    // What most calls do not need is no part of their future.
    let answer = match request.kind {
        CallKind::ClientStream => {
            Box::pin(within(&context, streaming::one_answer(attempts, request))).await?
        }
        _ => Box::pin(within(&context, streaming::many_answers(attempts, request))).await?,
    };
    readable(answer, content_type)
}

/// Nobody else may use the request meanwhile: a body need not stand it.
async fn unary(mut attempts: Attempts, request: &mut Request) -> Result<Response, Status> {
    let body = match &request.body {
        Body::One(body) => body.clone(),
        Body::Many(_) => return Err(Status::invalid_argument("a unary call carries one message")),
    };
    loop {
        let pick = match attempts.known() {
            Some(pick) => pick,
            None => Box::pin(within(&request.context, attempts.next())).await?,
        };
        match attempts.call(&pick, request, body.clone()).await {
            Err(failed) if attempts.may_try_again(&pick, &failed) => {
                if attempts.retries.is_paused() {
                    Box::pin(within(&request.context, attempts.retries.pause())).await?;
                }
            }
            answer => return answer,
        }
    }
}

/// Takes a step of a call, which ends with its context.
pub(super) async fn within<T>(
    context: &Context,
    step: impl Future<Output = Result<T, Status>>,
) -> Result<T, Status> {
    let deadline = async {
        match context.deadline() {
            Some(deadline) => sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        () = context.cancelled_by_others() => Err(Status::cancelled("the calling context was cancelled")),
        done = step => done,
        () = deadline => Err(Status::deadline_exceeded("the deadline passed before an answer came")),
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
