//! A second attempt beside the first: when it is made, which answer counts, and what becomes of the other.

use std::sync::Arc;
use std::time::Duration;

use micro_core::client::{Hedge, RetryBudget};
use micro_core::selector::RoundRobin;
use micro_core::{Client, ClientOptions, Code, Json, Status};
use tokio::task::JoinHandle;

use super::RpcWorld;
use super::handlers::{Arrival, Gate, gate};
use super::stage::{Instance, PATIENCE, Process, SERVICE};

/// After how long a second attempt is made.
const DELAY: Duration = Duration::from_millis(5);

/// Two nodes at whose gates calls wait, and a client that calls them in turn.
struct Stage {
    client: Client,
    gates: [Gate; 2],
    _nodes: [Instance; 2],
}

impl Stage {
    async fn open(world: &RpcWorld, options: ClientOptions) -> Self {
        let (first, second) = (gate(), gate());
        let nodes = [
            Process::open(world).await.serve("a", first.1).await,
            Process::open(world).await.serve("b", second.1).await,
        ];
        let process = Process::open(world).await;
        Stage {
            client: process.client_of(options, Arc::new(RoundRobin::default())),
            gates: [first.0, second.0],
            _nodes: nodes,
        }
    }

    fn call(&self, number: u64, idempotent: bool) -> JoinHandle<Result<Json<u64>, Status>> {
        let call = self
            .client
            .unary(SERVICE, "Test.Wait", Json(number))
            .timeout(PATIENCE);
        let call = if idempotent { call.idempotent() } else { call };
        tokio::spawn(async move { call.await })
    }

    /// The next arrival at whichever node.
    async fn arrival(&mut self) -> Arrival {
        let [first, second] = &mut self.gates;
        tokio::select! {
            arrival = first.arrival() => arrival,
            arrival = second.arrival() => arrival,
        }
    }

    /// How many calls have arrived that nobody looked at.
    fn rest(&mut self) -> usize {
        self.gates.iter_mut().map(Gate::let_go).sum()
    }
}

fn hedged() -> ClientOptions {
    ClientOptions::default().with_hedge(Hedge::After(DELAY))
}

/// A call that says that it may run twice is made on another node when the first takes long. The first answer counts,
/// and the other call is cancelled at its node, whichever it is.
pub async fn the_first_of_two_answers_counts(world: &RpcWorld) {
    let mut stage = Stage::open(world, hedged()).await;
    for slow_is_first in [true, false] {
        let call = stage.call(4, true);
        let (first, second) = (stage.arrival().await, stage.arrival().await);
        let (slow, fast) = if slow_is_first {
            (first, second)
        } else {
            (second, first)
        };
        fast.answer();
        assert_eq!(call.await.unwrap(), Ok(Json(40)));
        slow.ended().await;
    }
    assert_eq!(stage.rest(), 0);
}

/// A second attempt that comes to nothing does not end the call, and neither does a first one.
pub async fn a_failure_waits_for_the_other_attempt(world: &RpcWorld) {
    let mut stage = Stage::open(world, hedged()).await;
    for first_fails in [true, false] {
        let call = stage.call(4, true);
        let (first, second) = (stage.arrival().await, stage.arrival().await);
        let (fails, answers) = if first_fails {
            (first, second)
        } else {
            (second, first)
        };
        fails.fail(Status::unavailable("not here"));
        fails_to_end(&call).await;
        answers.answer();
        assert_eq!(call.await.unwrap(), Ok(Json(40)));
    }
    // An answer that is no success is an answer.
    let call = stage.call(4, true);
    let (first, second) = (stage.arrival().await, stage.arrival().await);
    second.fail(Status::not_found("no such number"));
    assert_eq!(call.await.unwrap().unwrap_err().code(), Code::NotFound);
    first.ended().await;
}

/// A while in which a call that were to end would.
async fn fails_to_end(call: &JoinHandle<Result<Json<u64>, Status>>) {
    tokio::time::sleep(DELAY).await;
    assert!(!call.is_finished());
}

/// A call that may not run twice is made once, however long it takes.
pub async fn what_may_not_run_twice_is_made_once(world: &RpcWorld) {
    let mut stage = Stage::open(world, hedged()).await;
    let once = stage.call(1, false);
    let only = stage.arrival().await;
    // By when this one was made twice, the other would have been, too.
    let twice = stage.call(2, true);
    let (first, second) = (stage.arrival().await, stage.arrival().await);
    assert_eq!((first.number, second.number), (2, 2));
    assert_eq!(stage.rest(), 0);
    first.answer();
    only.answer();
    assert_eq!(twice.await.unwrap(), Ok(Json(20)));
    assert_eq!(once.await.unwrap(), Ok(Json(10)));
}

/// Second attempts count against the budget: when it is empty, none is made.
pub async fn hedges_take_budget(world: &RpcWorld) {
    let mut stage = Stage::open(world, hedged().with_retry_budget(RetryBudget::new(0.0, 2))).await;
    let first = stage.call(1, true);
    let arrivals = [stage.arrival().await, stage.arrival().await];
    let second = stage.call(2, true);
    let more = [stage.arrival().await, stage.arrival().await];
    assert_eq!([arrivals[1].number, more[1].number], [1, 2]);
    let third = stage.call(3, true);
    let only = stage.arrival().await;
    fails_to_end(&third).await;
    fails_to_end(&third).await;
    assert_eq!(stage.rest(), 0);
    arrivals
        .into_iter()
        .chain(more)
        .chain([only])
        .for_each(Arrival::answer);
    for (call, answer) in [(first, 10), (second, 20), (third, 30)] {
        assert_eq!(call.await.unwrap(), Ok(Json(answer)));
    }
}
