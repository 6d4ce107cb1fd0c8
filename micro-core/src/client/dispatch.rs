//! From a request to its answer, for each of the four kinds of call.

use std::sync::Arc;

use futures::StreamExt;
use tokio::time::{Instant, sleep_until};

use crate::client::attempt::Attempts;
use crate::client::plan::Plan;
use crate::client::unreached::named;
use crate::client::{Shared, hedge, streaming};
use crate::message::Text;
use crate::rpc::frame;
use crate::rpc::{Body, BodyStream, CallKind, Context, Request, Response, Status};

/// Calls until there is an answer, or nothing more is safe to try, or the deadline passes.
pub(crate) async fn run(
    client: &Arc<Shared>,
    request: &mut Request,
    plan: &mut Plan,
) -> Result<Response, Status> {
    // The clock is read once for a call that meets no obstacle.
    let now = Instant::now();
    bound(client, request, now);
    if request.context.deadline().is_some_and(|deadline| deadline <= now) {
        return Err(
            Status::deadline_exceeded("the deadline had passed before the call was made").never_delivered(),
        );
    }
    let content_type = request.content_type.clone();
    let mut attempts = Attempts::new(client.clone(), request, std::mem::take(plan), now);
    let answer = match request.kind {
        CallKind::Unary => unary(&mut attempts, request).await,
        // What most calls do not need is no part of their future.
        _ => Box::pin(streams(attempts, request.take())).await,
    };
    readable(answer?, content_type)
}

/// Gives a unary call the client's deadline if it has none.
pub(super) fn bound(client: &Shared, request: &mut Request, now: Instant) {
    if request.kind == CallKind::Unary && request.context.deadline().is_none() {
        let context = std::mem::take(&mut request.context);
        request.context = context.with_timeout_from(now, client.options.request_timeout);
    }
}

async fn streams(attempts: Attempts, request: Request) -> Result<Response, Status> {
    let context = request.context.clone();
    match request.kind {
        CallKind::ClientStream => within(&context, streaming::one_answer(attempts, request)).await,
        _ => within(&context, streaming::many_answers(attempts, request)).await,
    }
}

async fn unary(attempts: &mut Attempts, request: &mut Request) -> Result<Response, Status> {
    loop {
        let mut pick = match attempts.known() {
            Some(pick) => pick,
            None => Box::pin(within(&request.context, attempts.next())).await?,
        };
        let outcome = match attempts.hedge() {
            None => attempts.call(&pick, request).await,
            Some(hedge) => Box::pin(hedge::call(hedge, attempts, &mut pick, request)).await,
        };
        match attempts.end(outcome) {
            Err(failed) if attempts.may_try_again(&pick, &failed, request.context.deadline()) => {}
            answer => return answer.map_err(|status| named(status, &request.service)),
        }
        if attempts.retries.is_paused() {
            Box::pin(within(&request.context, attempts.retries.pause())).await?;
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
fn readable(mut answer: Response, content_type: Text) -> Result<Response, Status> {
    answer.body = match answer.body {
        Body::One(body) => Body::One(frame::unframed(&content_type, body)?),
        Body::Many(items) if frame::is_plain(&content_type) => Body::Many(items),
        Body::Many(items) => {
            let content_type = content_type.clone();
            let unframed = move |item| frame::unframed(&content_type, item?);
            Body::Many(BodyStream::new(items.map(unframed)))
        }
    };
    if answer.content_type.is_empty() {
        answer.content_type = content_type;
    }
    Ok(answer)
}
