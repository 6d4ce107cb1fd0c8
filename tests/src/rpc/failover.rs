//! Calls to nodes that are gone, or full, or go while the call runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use futures::stream;
use micro_core::selector::RoundRobin;
use micro_core::{Code, Context, Json, Router, ServerOptions, Status, Streaming};

use super::RpcWorld;
use super::handlers::{Runs, counting, gate, router};
use super::stage::{AT_ONCE, Instance, Listed, PATIENCE, Process, SERVICE, ask, refused};
use crate::clause::tell;

/// Says how long it took to learn that something is gone, and fails when that was too long.
fn assert_at_once(what: &str, start: Instant) {
    let took = start.elapsed();
    tell(format_args!("{what}: {took:?}"));
    assert!(took < AT_ONCE, "{what}: {took:?}");
}

/// A call to the only node, which is gone without a word, is `Unavailable` at once and names the service.
pub async fn a_call_to_nobody_is_unavailable_at_once(world: &RpcWorld) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let client = here.client();
    let instance = there.serve("node", router()).await;
    assert_eq!(ask(&client, "Test.Double", 1).await, Ok(2));
    let _listed = instance.die().await;
    for client in [client, here.client()] {
        let start = Instant::now();
        let status = refused(&client, "Test.Double", 1).await;
        assert_at_once("a unary call to nobody", start);
        assert_eq!(status.code(), Code::Unavailable, "{status}");
        assert!(status.message().contains(SERVICE), "{status}");
        assert!(status.is_never_delivered());
        let start = Instant::now();
        let call = client.server_stream::<_, Json<u64>>(SERVICE, "Test.Count", Json(1_u64));
        let outcome = match call.timeout(PATIENCE).await {
            Ok(answers) => answers.collect().await,
            Err(status) => Err(status),
        };
        assert_at_once("a stream from nobody", start);
        assert_eq!(outcome.unwrap_err().code(), Code::Unavailable);
    }
}

/// When every node of several is gone, the call ends after each was tried once, and names the service.
pub async fn all_nodes_gone_is_unavailable(world: &RpcWorld) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let mut listed = Vec::new();
    for node in ["a", "b", "c"] {
        listed.push(there.serve(node, router()).await.die().await);
    }
    let client = here.client();
    let start = Instant::now();
    let status = refused(&client, "Test.Double", 1).await;
    assert_at_once("a call to three nodes that are gone", start);
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    assert!(status.message().contains(SERVICE), "{status}");
}

/// A call to a node that is gone is made on another by itself: each runs exactly once, whatever is picked first.
pub async fn a_dead_node_is_passed_over(world: &RpcWorld) {
    let here = Process::open(world).await;
    let (alive, dead) = (Process::open(world).await, Process::open(world).await);
    let runs = Runs::default();
    let _alive = alive.serve("alive", counting(&runs)).await;
    for round in 1..=20 {
        let instance = dead.serve("dead", counting(&Runs::default())).await;
        let client = here.client_that_selects(Arc::new(RoundRobin::default()));
        let listed = instance.die().await;
        for _ in 0..2 {
            assert_eq!(ask(&client, "Test.Run", 4).await, Ok(8));
        }
        assert_eq!(runs.get(), 2 * round);
        listed.withdraw().await;
    }
}

/// The same for a node that died when sockets to it were open already.
pub async fn a_node_that_dies_in_use_is_passed_over(world: &RpcWorld) {
    let here = Process::open(world).await;
    let (alive, dead) = (Process::open(world).await, Process::open(world).await);
    let (runs, before) = (Runs::default(), Runs::default());
    let _alive = alive.serve("alive", counting(&runs)).await;
    let instance = dead.serve("dead", counting(&before)).await;
    let client = here.client_that_selects(Arc::new(RoundRobin::default()));
    for _ in 0..10 {
        assert_eq!(ask(&client, "Test.Run", 4).await, Ok(8));
    }
    assert_eq!((runs.get(), before.get()), (5, 5));
    let _listed = instance.die().await;
    for _ in 0..10 {
        assert_eq!(ask(&client, "Test.Run", 4).await, Ok(8));
    }
    assert_eq!((runs.get(), before.get()), (15, 5));
}

/// A server stream that was opened to a node that is gone comes from another, with nothing missing.
pub async fn a_server_stream_passes_over_a_dead_node(world: &RpcWorld) {
    let here = Process::open(world).await;
    let (alive, dead) = (Process::open(world).await, Process::open(world).await);
    let _alive = alive.serve("alive", router()).await;
    let _listed = dead.serve("dead", router()).await.die().await;
    for _ in 0..10 {
        let client = here.client();
        let call = client.server_stream::<_, Json<u64>>(SERVICE, "Test.Count", Json(3_u64));
        let numbers = call.timeout(PATIENCE).await.unwrap().collect().await;
        assert_eq!(numbers, Ok(vec![Json(0), Json(1), Json(2)]));
    }
}

/// Numbers up to this, of a stream that panics when it is asked again after its end, as some do.
fn numbers_once(last: u64) -> Streaming<Json<u64>> {
    let next = move |number| async move { (number <= last).then_some((Ok(Json(number)), number + 1)) };
    Streaming::new(stream::unfold(1, next))
}

/// A client stream that was opened to a node that is gone is sent to another, from its first message on; one that has
/// ended by then is not asked again.
pub async fn a_client_stream_passes_over_a_dead_node(world: &RpcWorld) {
    let here = Process::open(world).await;
    let (alive, dead) = (Process::open(world).await, Process::open(world).await);
    let _alive = alive.serve("alive", router()).await;
    let _listed = dead.serve("dead", router()).await.die().await;
    for _ in 0..10 {
        let numbers = numbers_once(3);
        let call = here
            .client()
            .client_stream::<_, Json<u64>>(SERVICE, "Test.Sum", numbers);
        assert_eq!(call.timeout(PATIENCE).await, Ok(Json(6)));
    }
}

/// The same in both directions.
pub async fn a_bidi_stream_passes_over_a_dead_node(world: &RpcWorld) {
    let here = Process::open(world).await;
    let (alive, dead) = (Process::open(world).await, Process::open(world).await);
    let _alive = alive.serve("alive", router()).await;
    let _listed = dead.serve("dead", router()).await.die().await;
    for _ in 0..10 {
        let numbers = numbers_once(3);
        let call = here
            .client()
            .bidi_stream::<_, Json<u64>>(SERVICE, "Test.Echo", numbers);
        let echoed = call.timeout(PATIENCE).await.unwrap().collect().await;
        assert_eq!(echoed, Ok(vec![Json(1), Json(2), Json(3)]));
    }
}

/// Two nodes of which one is stopped while a call runs there. Returns how the call ended, and how often it ran.
async fn interrupted(world: &RpcWorld, idempotent: bool) -> (Result<Json<u64>, Status>, Vec<u64>) {
    let here = Process::open(world).await;
    let mut gates = BTreeMap::new();
    let mut instances = BTreeMap::new();
    for node in [0_u64, 1] {
        let (gate, router) = gate();
        let process = Process::open(world).await;
        let instance = process.serve(&format!("node-{node}"), router).await;
        gates.insert(node, gate);
        instances.insert(node, instance);
    }
    let client = here.client();
    let call = client.unary(SERVICE, "Test.Wait", Json(1_u64)).timeout(PATIENCE);
    let call = if idempotent { call.idempotent() } else { call };
    let call = tokio::spawn(async move { call.await });
    let [mut first, mut second] = [gates.remove(&0).unwrap(), gates.remove(&1).unwrap()];
    let (node, _arrival) = tokio::select! {
        arrival = first.arrival() => (0, arrival),
        arrival = second.arrival() => (1, arrival),
    };
    let Instance { server, listed } = instances.remove(&node).unwrap();
    drop(server);
    let mut ran = vec![node];
    let other = if node == 0 { &mut second } else { &mut first };
    if idempotent {
        let again = other.arrival().await;
        ran.push(1 - node);
        again.answer();
    }
    let outcome = call.await.unwrap();
    // What was made again by now has arrived.
    ran.extend((0..other.let_go()).map(|_| 1 - node));
    drop::<Listed>(listed);
    (outcome, ran)
}

/// A call that may have run is not made again: its caller learns that it is not known how it ended.
pub async fn a_call_that_may_have_run_is_not_made_again(world: &RpcWorld) {
    let (outcome, ran) = interrupted(world, false).await;
    let status = outcome.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    assert!(!status.is_never_delivered());
    assert_eq!(ran.len(), 1);
}

/// A handler that passes on how a call of its own ended has run, though that call was never delivered.
pub async fn a_handler_that_passes_on_a_refusal_has_run(world: &RpcWorld) {
    let here = Process::open(world).await;
    let runs = Runs::default();
    let mut instances = Vec::new();
    for node in ["a", "b"] {
        let process = Process::open(world).await;
        let (client, runs) = (process.client(), runs.clone());
        let router = Router::new().unary("Test.Outer", move |context: Context, number: Json<u64>| {
            runs.count();
            let call = client.unary("nobody", "Test.Double", number).context(&context);
            async move {
                let refused: Status = call.await.map(|Json(answer): Json<u64>| answer).unwrap_err();
                assert!(refused.is_never_delivered());
                Err(Status::unavailable(refused.message()).never_delivered()) as Result<Json<u64>, Status>
            }
        });
        instances.push(process.serve(node, router).await);
    }
    let status = refused(&here.client(), "Test.Outer", 1).await;
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    assert!(!status.is_never_delivered());
    assert_eq!(runs.get(), 1);
}

/// A call that says that it may run twice is made again on another node.
pub async fn an_idempotent_call_is_made_again_elsewhere(world: &RpcWorld) {
    let (outcome, ran) = interrupted(world, true).await;
    assert_eq!(outcome, Ok(Json(10)));
    assert!(ran == [0, 1] || ran == [1, 0], "{ran:?}");
}

/// A node that is full is passed over, too: what it refused has not run there.
pub async fn a_full_node_is_passed_over(world: &RpcWorld) {
    let here = Process::open(world).await;
    let (full, free) = (Process::open(world).await, Process::open(world).await);
    let (mut gate, router) = gate();
    let options = ServerOptions::default().with_max_concurrent_requests(1);
    let _full = full.serve_with("full", router, options).await;
    let blocked = here.client();
    let call = tokio::spawn(async move { ask(&blocked, "Test.Wait", 1).await });
    let arrival = gate.arrival().await;
    let runs = Runs::default();
    let answering = counting(&runs).unary("Test.Wait", |_: Context, Json(number): Json<u64>| async move {
        Ok(Json(number + 1))
    });
    let _free = free.serve("free", answering).await;
    let client = here.client_that_selects(Arc::new(RoundRobin::default()));
    for number in 0..20 {
        assert_eq!(ask(&client, "Test.Wait", number).await, Ok(number + 1));
    }
    arrival.answer();
    assert_eq!(call.await.unwrap(), Ok(10));
    assert_eq!(gate.let_go(), 0);
}
