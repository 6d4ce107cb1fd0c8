//! What is made again, how often, and what that costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use micro_core::client::{Backoff, RetryBudget};
use micro_core::selector::{OutlierDetection, RoundRobin};
use micro_core::{Client, ClientOptions, Code, Context, Json, Router, ServerOptions, Status};

use super::RpcWorld;
use super::handlers::{Runs, counting, gate};
use super::stage::{Instance, PATIENCE, Process, SERVICE, ask};

/// What a handler that cannot work says.
const AWAY: &str = "the database is away";

/// `Test.Try`, which fails so often, and counts how often it runs.
#[derive(Clone, Default)]
struct Failing {
    times: Arc<AtomicUsize>,
    runs: Runs,
}

impl Failing {
    fn router(&self) -> Router {
        let failing = self.clone();
        Router::new().unary("Test.Try", move |_: Context, number: Json<u64>| {
            failing.runs.count();
            let less = |left: usize| left.checked_sub(1);
            let fails = failing
                .times
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
                .is_ok();
            async move {
                match fails {
                    true => Err(Status::unavailable(AWAY)),
                    false => Ok(number),
                }
            }
        })
    }

    fn fail(&self, times: usize) {
        self.times.store(times, Ordering::SeqCst);
    }
}

/// A client with this budget, which sets no node aside for its failures, and does not wait.
async fn client(world: &RpcWorld, budget: RetryBudget) -> Client {
    let options = ClientOptions::default()
        .with_retry_budget(budget)
        .with_backoff(Backoff::new(Default::default(), Default::default()))
        .with_outlier_detection(OutlierDetection::default().with_consecutive_failures(0));
    let process = Process::open(world).await;
    process.client_of(options, Arc::new(RoundRobin::default()))
}

async fn retried(client: &Client, times: u32) -> Result<u64, Status> {
    let call = client.unary::<_, Json<u64>>(SERVICE, "Test.Try", Json(7_u64));
    call.retry(times)
        .timeout(PATIENCE)
        .await
        .map(|Json(number)| number)
}

/// When the budget is empty, a call is not made again, and ends with what the node said. Each that is answered well puts
/// its part back.
pub async fn an_empty_budget_ends_the_call_with_what_the_node_said(world: &RpcWorld) {
    let failing = Failing::default();
    let _node = Process::open(world).await.serve("node", failing.router()).await;
    let client = client(world, RetryBudget::new(0.5, 2)).await;
    failing.fail(usize::MAX);
    let refused = async |times, expected| {
        let before = failing.runs.get();
        let status = retried(&client, times).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Unavailable, AWAY));
        assert!(!status.is_never_delivered());
        assert_eq!(failing.runs.get() - before, expected);
    };
    // Two tokens, one, and none.
    refused(1, 2).await;
    refused(9, 2).await;
    refused(9, 1).await;
    // Two good answers are worth one retry.
    failing.fail(0);
    assert_eq!(retried(&client, 0).await, Ok(7));
    assert_eq!(retried(&client, 0).await, Ok(7));
    failing.fail(usize::MAX);
    refused(9, 2).await;
    refused(9, 1).await;
}

/// A node that failed is asked again when there is no other.
pub async fn the_only_node_is_asked_again(world: &RpcWorld) {
    let failing = Failing::default();
    let _node = Process::open(world).await.serve("node", failing.router()).await;
    let client = Process::open(world).await.client();
    failing.fail(3);
    assert_eq!(retried(&client, 3).await, Ok(7));
    assert_eq!(failing.runs.get(), 4);
}

/// Passing over nodes that are gone or leave takes no budget: a fleet restarts in turn, and no call fails.
pub async fn a_restart_costs_no_budget(world: &RpcWorld) {
    let client = client(world, RetryBudget::new(0.0, 0)).await;
    let runs = Runs::default();
    let mut instances: Vec<Instance> = Vec::new();
    for node in 0..3 {
        let process = Process::open(world).await;
        instances.push(process.serve(&format!("node-{node}"), counting(&runs)).await);
    }
    let (mut listed, mut made) = (Vec::new(), 0);
    for node in 3..9 {
        let process = Process::open(world).await;
        instances.push(process.serve(&format!("node-{node}"), counting(&runs)).await);
        // The registry goes on to list what is gone.
        listed.push(instances.remove(0).die().await);
        for _ in 0..20 {
            assert_eq!(ask(&client, "Test.Run", 4).await, Ok(8));
            made += 1;
        }
    }
    assert_eq!(runs.get(), made);
}

/// Passing over a node that is full takes budget: with none left, the call ends with what that node said.
pub async fn a_full_node_costs_budget(world: &RpcWorld) {
    let (mut gate, router) = gate();
    let options = ServerOptions::default().with_max_concurrent_requests(1);
    let full = Process::open(world).await;
    let _full = full.serve_with("full", router, options).await;
    let waiting = Process::open(world).await.client();
    let call = tokio::spawn(async move { ask(&waiting, "Test.Wait", 1).await });
    let arrival = gate.arrival().await;
    let free = Router::new().unary(
        "Test.Wait",
        |_: Context, number: Json<u64>| async move { Ok(number) },
    );
    let _free = Process::open(world).await.serve("free", free).await;
    for (burst, failed) in [(0, 1), (1, 0)] {
        let client = client(world, RetryBudget::new(0.0, burst)).await;
        let mut refused = Vec::new();
        // The second node is asked at the latest by the second call; a full one is spared for a moment then.
        for number in 0..2 {
            refused.extend(ask(&client, "Test.Wait", number).await.err());
        }
        assert_eq!(refused.len(), failed, "{refused:?}");
        for status in refused {
            assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
            assert!(status.is_never_delivered());
        }
    }
    arrival.answer();
    assert_eq!(call.await.unwrap(), Ok(10));
}
