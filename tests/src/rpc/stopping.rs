//! Servers that end, at once or in good order.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::future::{join_all, poll_immediate};
use micro_core::{Client, Code, Context, Json, Status, Streaming};
use tokio::task::JoinHandle;

use super::RpcWorld;
use super::handlers::{Arrival, Gate, Runs, counting, forever, gate, router};
use super::stage::{AT_ONCE, Instance, PATIENCE, Process, SERVICE, ask, pair};
use crate::clause::tell;

type Calls = Vec<JoinHandle<Result<u64, Status>>>;

/// Calls that wait at the gate of a node.
async fn waiting(client: &Client, gate: &mut Gate, count: usize) -> (Calls, Vec<Arrival>) {
    let calls = (0..count as u64).map(|number| {
        let client = client.clone();
        tokio::spawn(async move { ask(&client, "Test.Wait", number).await })
    });
    let calls = calls.collect();
    (calls, gate.arrivals(count).await)
}

/// Dropping a server ends every call that it had, at once, and its handlers.
pub async fn a_dropped_server_ends_its_calls_at_once(world: &RpcWorld) {
    let (mut gate, router) = gate();
    let router = router.server_stream("Test.Hang", |_: Context, _: Json<()>| async {
        Ok(Streaming::new(
            forever().take(1).chain(futures::stream::pending()),
        ))
    });
    let (client, instance) = pair(world, router).await;
    let (calls, arrivals) = waiting(&client, &mut gate, 10).await;
    let call = client.server_stream::<_, Json<u64>>(SERVICE, "Test.Hang", Json(()));
    let mut numbers = call.timeout(PATIENCE).await.unwrap();
    assert_eq!(numbers.next().await, Some(Ok(Json(0))));
    let Instance { server, listed } = instance;
    let start = Instant::now();
    drop(server);
    for call in calls {
        let status = call.await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{status}");
        assert!(!status.is_never_delivered());
    }
    let status = numbers.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
    join_all(arrivals.iter().map(Arrival::ended)).await;
    drop(listed);
}

/// A shutdown waits for what runs, cuts what runs too long, tells both callers, and says how many were which.
pub async fn a_shutdown_reports_what_finished_and_what_was_cut(world: &RpcWorld) {
    let (mut gate, router) = gate();
    let (client, instance) = pair(world, router).await;
    let (calls, mut arrivals) = waiting(&client, &mut gate, 5).await;
    let Instance { server, listed } = instance;
    listed.withdraw().await;
    let mut shutdown = pin!(server.shutdown(Duration::from_millis(300)));
    assert!(poll_immediate(&mut shutdown).await.is_none());
    let cut = arrivals.split_off(3);
    arrivals.into_iter().for_each(Arrival::answer);
    let report = shutdown.await.unwrap();
    assert_eq!((report.finished, report.cut), (3, 2));
    for (index, call) in calls.into_iter().enumerate() {
        match call.await.unwrap() {
            Ok(answer) => assert!(
                cut.iter().all(|arrival| arrival.number != index as u64) && answer == index as u64 * 10
            ),
            Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status}"),
        }
    }
    join_all(cut.iter().map(Arrival::ended)).await;
}

/// A server with nothing to do stops at once, whatever time it was given.
pub async fn an_idle_server_stops_at_once(world: &RpcWorld) {
    let (client, instance) = pair(world, router()).await;
    assert_eq!(ask(&client, "Test.Double", 1).await, Ok(2));
    let start = Instant::now();
    let report = instance.leave(Duration::from_secs(25)).await;
    assert_eq!((report.finished, report.cut), (0, 0));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

/// What arrives at a server that is stopping runs on another, and never on both; what ran there already ends there.
pub async fn a_stopping_server_sends_new_calls_elsewhere(world: &RpcWorld) {
    let here = Process::open(world).await;
    let (old, new) = (Process::open(world).await, Process::open(world).await);
    let (mut gate, gated) = gate();
    let late = Runs::default();
    let instance = old.serve("old", gated.merge(counting(&late))).await;
    let client = here.client();
    let (calls, arrivals) = waiting(&client, &mut gate, 10).await;
    let runs = Runs::default();
    let _new = new.serve("new", counting(&runs)).await;
    let ran_before = late.get();
    let Instance { server, listed } = instance;
    // The registry still lists it, so calls go on to be sent there.
    let stopping = tokio::spawn(server.shutdown(PATIENCE));
    for number in 0..200 {
        assert_eq!(ask(&client, "Test.Run", number).await, Ok(number * 2));
    }
    assert_eq!(runs.get() + late.get() - ran_before, 200);
    arrivals.into_iter().for_each(Arrival::answer);
    for call in calls {
        assert!(call.await.unwrap().is_ok());
    }
    let report = stopping.await.unwrap().unwrap();
    assert_eq!(report.cut, 0);
    drop(listed);
}

/// Three instances are restarted in turn, under load, several times over: not one call fails.
pub async fn restarting_instances_in_turn_fails_no_call(world: &RpcWorld) {
    const CALLERS: usize = 16;
    const RESTARTS: usize = 9;
    let here = Process::open(world).await;
    let client = here.client();
    let mut instances = std::collections::VecDeque::new();
    for index in 0..3 {
        instances.push_back(start(world, index).await);
    }
    let enough = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| tokio::spawn(call_until(client.clone(), enough.clone())))
        .collect();
    let mut reports = Vec::new();
    for index in 3..3 + RESTARTS {
        instances.push_back(start(world, index).await);
        let oldest = instances.pop_front().expect("three instances");
        reports.push(oldest.leave(PATIENCE).await);
    }
    enough.store(true, Ordering::Relaxed);
    let made: usize = join_all(callers).await.into_iter().map(Result::unwrap).sum();
    tell(format_args!(
        "{made} calls over {RESTARTS} restarts: 0 failed; {reports:?}"
    ));
    assert!(reports.iter().all(|report| report.cut == 0), "{reports:?}");
}

async fn start(world: &RpcWorld, index: usize) -> Instance {
    let process = Process::open(world).await;
    process.serve(&format!("node-{index}"), router()).await
}

/// Calls without a pause, and says how often.
async fn call_until(client: Client, enough: Arc<AtomicBool>) -> usize {
    let mut made = 0;
    while !enough.load(Ordering::Relaxed) {
        let number = made as u64;
        assert_eq!(
            ask(&client, "Test.Double", number).await,
            Ok(number * 2),
            "after {made} calls"
        );
        made += 1;
    }
    made
}

/// A stream that is read when its server stops is read to its end.
pub async fn a_shutdown_lets_streams_finish(world: &RpcWorld) {
    let (client, instance) = pair(world, router()).await;
    let call = client.server_stream::<_, Json<u64>>(SERVICE, "Test.Count", Json(5_000_u64));
    let mut numbers = call.timeout(PATIENCE).await.unwrap();
    assert_eq!(numbers.next().await, Some(Ok(Json(0))));
    let stopping = tokio::spawn(instance.leave(PATIENCE));
    for expected in 1..5_000 {
        assert_eq!(numbers.next().await, Some(Ok(Json(expected))));
    }
    assert_eq!(numbers.next().await, None);
    assert_eq!(stopping.await.unwrap().cut, 0);
}
