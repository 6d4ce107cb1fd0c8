//! A second attempt beside the first, when that takes long: hedging.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep};

use crate::client::Shared;
use crate::client::attempt::{Attempts, Outcome};
use crate::observe;
use crate::rpc::{Body, Code, Request};
use crate::selector::{Pick, Verdict};

/// When a unary call is made on a second node too, while the first has not answered: a hedge.
///
/// Only calls that are [idempotent](crate::client::Call::idempotent) are, each once at most, within the
/// [budget](crate::client::RetryBudget), and where there is another node. The first answer counts, and the other call is
/// cancelled at its node. A node that cannot take the call gives no answer: then the other one is waited for.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Hedge {
    /// After this time.
    After(Duration),
    /// When it takes longer than this share of the calls to its endpoint lately, from 0 to 1; such as 0.95. The client
    /// measures hedged calls for that, and makes no hedge before it has seen 20.
    Percentile(f64),
}

impl Hedge {
    fn delay(self, client: &Shared, request: &Request) -> Option<Duration> {
        match self {
            Hedge::After(delay) => Some(delay),
            Hedge::Percentile(share) => {
                client
                    .latencies
                    .percentile(&request.service, &request.endpoint, share)
            }
        }
    }
}

/// Calls this node, and another one when that takes long, which it becomes if its answer counts.
pub(crate) async fn call(
    hedge: Hedge,
    attempts: &Attempts,
    pick: &mut Pick,
    request: &mut Request,
) -> Outcome {
    let begun = Instant::now();
    let mut copy = copy(request);
    let delay = hedge.delay(&attempts.client, request);
    let (counts, outcome) = race(attempts, pick.clone(), [request, &mut copy], delay).await;
    *pick = counts;
    if let (Hedge::Percentile(_), Ok(_)) = (hedge, &outcome.answer) {
        let latencies = &attempts.client.latencies;
        latencies.record(&copy.service, &copy.endpoint, begun.elapsed());
    }
    outcome
}

async fn race(
    attempts: &Attempts,
    pick: Pick,
    [request, copy]: [&mut Request; 2],
    delay: Option<Duration>,
) -> (Pick, Outcome) {
    let (begun, one) = (Instant::now(), pick.clone());
    let mut first = pin!(attempts.call(&one, request));
    let Some(delay) = delay else {
        return (pick, first.await);
    };
    tokio::select! {
        biased;
        outcome = &mut first => return (pick, outcome),
        () = sleep(delay) => {}
    }
    let other = attempts.another(&pick);
    let Some(other) = other.filter(|_| attempts.client.budget.withdraw()) else {
        return (pick, first.await);
    };
    let mut hedged = Hedged("dropped");
    let two = other.clone();
    let mut second = pin!(attempts.call(&two, copy));
    tokio::select! {
        biased;
        outcome = &mut first => match gives_way(attempts, &pick, &outcome) {
            true => hedged.won((other, second.await)),
            false => hedged.lost((pick, outcome)),
        },
        outcome = &mut second => match gives_way(attempts, &other, &outcome) {
            true => hedged.lost((pick, first.await)),
            false => {
                // It takes so long at least.
                if attempts.measures {
                    pick.observe_since(begun);
                }
                hedged.won((other, outcome))
            }
        },
    }
}

/// A hedge that was made, which is counted by what became of it.
struct Hedged(&'static str);

impl Hedged {
    fn won<T>(&mut self, counts: T) -> T {
        self.0 = "won";
        counts
    }

    fn lost<T>(&mut self, counts: T) -> T {
        self.0 = "lost";
        counts
    }
}

impl Drop for Hedged {
    fn drop(&mut self) {
        observe::hedged(self.0);
    }
}

/// Whether the other attempt is to be waited for, since this one came to nothing, noting that.
fn gives_way(attempts: &Attempts, pick: &Pick, outcome: &Outcome) -> bool {
    let Err(status) = &outcome.answer else {
        return false;
    };
    let verdict = Verdict::of(status).filter(|verdict| *verdict != Verdict::Answered);
    // Both have the same deadline.
    let Some(verdict) = verdict.filter(|_| status.code() != Code::DeadlineExceeded) else {
        return false;
    };
    if !outcome.retired {
        attempts.judge(pick, verdict);
    }
    true
}

/// The same call, for a second node.
fn copy(request: &Request) -> Request {
    let body = match &request.body {
        Body::One(body) => body.clone(),
        Body::Many(_) => Bytes::new(),
    };
    Request::new(request.service.clone(), request.endpoint.clone(), body)
        .with_kind(request.kind)
        .with_content_type(request.content_type.clone())
        .with_context(request.context.clone())
}
