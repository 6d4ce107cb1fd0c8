//! Nodes that fail: set aside, tried, and taken back.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use micro_core::selector::{Candidates, OutlierDetection, RoundRobin, Strategy, Target};
use micro_core::{Client, ClientOptions, Code, Context, Json, Router, ServerOptions, Status};

use super::RpcWorld;
use super::handlers::{Runs, gate};
use super::stage::{Instance, PATIENCE, Process, SERVICE, ask};

/// How many failures in a row set a node aside.
const FAILURES: usize = 3;

/// Longer than any clause.
const FOR_EVER: Duration = Duration::from_secs(600);

/// A node whose handler fails as long as it is sick, and counts how often it runs.
struct Patient {
    sick: Arc<AtomicBool>,
    runs: Runs,
    instance: Instance,
}

impl Patient {
    async fn serve(world: &RpcWorld, node: &str, sick: bool) -> Self {
        let (sick, runs) = (Arc::new(AtomicBool::new(sick)), Runs::default());
        let seen = (sick.clone(), runs.clone());
        let router = Router::new().unary("Test.Try", move |_: Context, number: Json<u64>| {
            seen.1.count();
            let sick = seen.0.load(Ordering::SeqCst);
            async move {
                match sick {
                    true => Err(Status::unavailable("the database is away")),
                    false => Ok(number),
                }
            }
        });
        let instance = Process::open(world).await.serve(node, router).await;
        Patient { sick, runs, instance }
    }

    fn heal(&self) {
        self.sick.store(false, Ordering::SeqCst);
    }
}

async fn client(world: &RpcWorld, ejection: Duration) -> Client {
    let outliers = OutlierDetection::default()
        .with_consecutive_failures(FAILURES as u32)
        .with_ejection(ejection, ejection);
    let options = ClientOptions::default().with_outlier_detection(outliers);
    let process = Process::open(world).await;
    process.client_of(options, Arc::new(RoundRobin::default()))
}

/// Calls that often, and says how many calls failed.
async fn failed(client: &Client, calls: usize) -> usize {
    let mut failed = 0;
    for number in 0..calls as u64 {
        match ask(client, "Test.Try", number).await {
            Ok(answer) => assert_eq!(answer, number),
            Err(status) => {
                assert_eq!(status.code(), Code::Unavailable, "{status}");
                failed += 1;
            }
        }
    }
    failed
}

/// A node whose handlers fail again and again gets no more calls; but for one that may go nowhere else.
pub async fn a_node_that_fails_is_set_aside(world: &RpcWorld) {
    let sick = Patient::serve(world, "sick", true).await;
    let well = Patient::serve(world, "well", false).await;
    let client = client(world, FOR_EVER).await;
    assert_eq!(failed(&client, 60).await, FAILURES);
    assert_eq!((sick.runs.get(), well.runs.get()), (FAILURES, 60 - FAILURES));
    let call = client.unary::<_, Json<u64>>(SERVICE, "Test.Try", Json(1_u64));
    let status = call.node("sick").timeout(PATIENCE).await.unwrap_err();
    assert_eq!(status.message(), "the database is away");
    assert_eq!(failed(&client, 20).await, 0);
}

/// A node that was set aside is tried by one call after a while, and gets its calls again when that is answered.
pub async fn a_node_that_is_well_again_is_taken_back(world: &RpcWorld) {
    let patient = Patient::serve(world, "patient", true).await;
    let well = Patient::serve(world, "well", false).await;
    let client = client(world, Duration::from_millis(20)).await;
    while patient.runs.get() < FAILURES + 2 {
        failed(&client, 1).await;
    }
    // Each trial was one call, which failed.
    assert!(well.runs.get() >= FAILURES);
    patient.heal();
    let runs = patient.runs.get();
    while patient.runs.get() == runs {
        failed(&client, 1).await;
    }
    let (before, calls) = (patient.runs.get(), 40);
    assert_eq!(failed(&client, calls).await, 0);
    assert_eq!(patient.runs.get() - before, calls / 2);
}

/// A node that registers again is tried at once, however long it is to stay aside.
pub async fn a_word_of_the_registry_brings_a_node_back(world: &RpcWorld) {
    let patient = Patient::serve(world, "patient", true).await;
    let _well = Patient::serve(world, "well", false).await;
    let client = client(world, FOR_EVER).await;
    assert_eq!(failed(&client, 20).await, FAILURES);
    patient.heal();
    patient.instance.listed.refresh().await;
    while patient.runs.get() == FAILURES {
        assert_eq!(failed(&client, 1).await, 0);
    }
    let before = patient.runs.get();
    assert_eq!(failed(&client, 20).await, 0);
    assert_eq!(patient.runs.get() - before, 10);
}

/// Nodes are never all set aside: when all fail, each call still reaches one.
pub async fn never_are_all_nodes_set_aside(world: &RpcWorld) {
    let nodes = [
        Patient::serve(world, "a", true).await,
        Patient::serve(world, "b", true).await,
        Patient::serve(world, "c", true).await,
    ];
    let client = client(world, FOR_EVER).await;
    assert_eq!(failed(&client, 60).await, 60);
    assert_eq!(nodes.iter().map(|node| node.runs.get()).sum::<usize>(), 60);
    nodes.iter().for_each(Patient::heal);
    assert_eq!(failed(&client, 20).await, 0);
}

/// A node that answers nothing before the deadline, again and again, is set aside, too. One answer, whatever it says, is
/// a sign of health.
pub async fn a_node_that_does_not_answer_is_set_aside(world: &RpcWorld) {
    let (mut gate, router) = gate();
    let router = router.unary("Test.Try", |_: Context, _: Json<u64>| async {
        Err(Status::not_found("no such number")) as Result<Json<u64>, Status>
    });
    let _mute = Process::open(world).await.serve("mute", router).await;
    let well = Patient::serve(world, "well", false).await;
    let client = client(world, FOR_EVER).await;
    let wait = async || {
        let call = client.unary::<_, Json<u64>>(SERVICE, "Test.Wait", Json(1_u64));
        let status = call
            .node("mute")
            .timeout(Duration::from_millis(100))
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
    };
    for _ in 0..2 {
        for _ in 1..FAILURES {
            wait().await;
        }
        let call = client.unary::<_, Json<u64>>(SERVICE, "Test.Try", Json(1_u64));
        let status = call.node("mute").timeout(PATIENCE).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound, "{status}");
    }
    for _ in 0..FAILURES {
        wait().await;
    }
    assert_eq!(failed(&client, 20).await, 0);
    assert_eq!(well.runs.get(), 20);
    gate.let_go();
}

/// Takes turns, and counts how often it picks each node.
#[derive(Debug, Default)]
struct Counting {
    turns: RoundRobin,
    picks: Mutex<BTreeMap<String, usize>>,
}

impl Strategy for Counting {
    fn pick<'a>(&self, candidates: &Candidates<'a, '_>) -> Option<&'a Arc<Target>> {
        let picked = self.turns.pick(candidates)?;
        let mut picks = self.picks.lock().unwrap();
        *picks.entry(picked.node().id.clone()).or_default() += 1;
        Some(picked)
    }
}

/// A node that is full is asked less and less often while it is, and no call fails for it.
pub async fn a_full_node_gets_few_calls(world: &RpcWorld) {
    const CALLS: usize = 200;
    let (mut gate, router) = gate();
    let options = ServerOptions::default().with_max_concurrent_requests(1);
    let full = Process::open(world).await;
    let _full = full.serve_with("full", router, options).await;
    let waiting = Process::open(world).await.client();
    let call = tokio::spawn(async move { ask(&waiting, "Test.Wait", 1).await });
    let arrival = gate.arrival().await;
    let _free = Patient::serve(world, "free", false).await;
    let strategy = Arc::new(Counting::default());
    let client = Process::open(world).await.client_that_selects(strategy.clone());
    assert_eq!(failed(&client, CALLS).await, 0);
    let picks = strategy.picks.lock().unwrap().clone();
    assert!((1..=CALLS / 10).contains(&picks["full"]), "{picks:?}");
    arrival.answer();
    assert_eq!(call.await.unwrap(), Ok(10));
}
