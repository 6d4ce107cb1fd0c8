//! Which node a call goes to, and what becomes of it when that node is gone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use micro_core::selector::{LeastLoaded, RoundRobin, strategies, strategy};
use micro_core::{Client, Code, Context, Json, Metadata, Router, Status, Streaming};

use super::RpcWorld;
use super::handlers::{Arrival, Runs, counting, gate, router};
use super::stage::{AT_ONCE, Instance, Listed, PATIENCE, Process, SERVICE, ask, refused};
use super::still::Still;
use crate::clause::tell;

/// `Test.Name`, which answers with the name of the node.
fn named(name: u64) -> Router {
    Router::new().unary("Test.Name", move |_: Context, _: Json<u64>| async move {
        Ok(Json(name))
    })
}

async fn name(client: &Client) -> u64 {
    ask(client, "Test.Name", 0).await.unwrap()
}

/// Says how long it took to learn that something is gone, and fails when that was too long.
fn assert_at_once(what: &str, start: Instant) {
    let took = start.elapsed();
    tell(format_args!("{what}: {took:?}"));
    assert!(took < AT_ONCE, "{what}: {took:?}");
}

/// A service that nobody serves is `NotFound`, by name, for every kind of call.
pub async fn an_unknown_service_is_not_found(world: &RpcWorld) {
    let client = Process::open(world).await.client();
    let status = refused(&client, "Test.Double", 1).await;
    assert_eq!(status.code(), Code::NotFound);
    assert!(status.message().contains(SERVICE), "{status}");
    assert!(status.is_never_delivered());
    let call = client.client_stream::<_, Json<u64>>(SERVICE, "Test.Sum", Streaming::from_iter([Json(1_u64)]));
    assert_eq!(call.await.unwrap_err().code(), Code::NotFound);
    let _server = Process::open(world).await.serve("node", router()).await;
    assert_eq!(ask(&client, "Test.Double", 1).await, Ok(2));
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

/// A client stream that was opened to a node that is gone is sent to another, from its first message on.
pub async fn a_client_stream_passes_over_a_dead_node(world: &RpcWorld) {
    let here = Process::open(world).await;
    let (alive, dead) = (Process::open(world).await, Process::open(world).await);
    let _alive = alive.serve("alive", router()).await;
    let _listed = dead.serve("dead", router()).await.die().await;
    for _ in 0..10 {
        let numbers = (1..=3_u64).map(Json).collect();
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
        let numbers = (1..=3_u64).map(Json).collect();
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
    let options = micro_core::ServerOptions::default().with_max_concurrent_requests(1);
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

/// Whatever the strategy, every node gets its share; taking turns, the same share.
pub async fn every_strategy_spreads_the_calls(world: &RpcWorld) {
    const NODES: u64 = 3;
    const CALLS: usize = 300;
    let here = Process::open(world).await;
    let mut instances = Vec::new();
    for node in 0..NODES {
        let process = Process::open(world).await;
        instances.push(process.serve(&format!("node-{node}"), named(node)).await);
    }
    for strategy_name in strategies() {
        let client = here.client_that_selects(strategy(strategy_name).unwrap());
        let mut shares = BTreeMap::new();
        for _ in 0..CALLS {
            *shares.entry(name(&client).await).or_insert(0_usize) += 1;
        }
        tell(format_args!("{strategy_name}: {shares:?}"));
        assert_eq!(shares.len() as u64, NODES, "{strategy_name}: {shares:?}");
        let least = shares.values().min().copied().unwrap();
        let expected = if strategy_name == "round_robin" {
            CALLS / 3
        } else {
            CALLS / 6
        };
        assert!(least >= expected, "{strategy_name}: {shares:?}");
    }
}

/// A node that is busy with calls of this client gets none while another is idle.
pub async fn the_least_loaded_node_is_picked(world: &RpcWorld) {
    let here = Process::open(world).await;
    let (busy, idle) = (Process::open(world).await, Process::open(world).await);
    let (mut gate, router) = gate();
    let _busy = busy.serve("busy", router.merge(named(1))).await;
    let client = here.client_that_selects(Arc::new(LeastLoaded));
    let waiting = client.clone();
    let call = tokio::spawn(async move { ask(&waiting, "Test.Wait", 1).await });
    let arrival = gate.arrival().await;
    let _idle = idle.serve("idle", named(2)).await;
    // From when the client knows the second node, every call goes there.
    while name(&client).await != 2 {}
    for _ in 0..50 {
        assert_eq!(name(&client).await, 2);
    }
    arrival.answer();
    assert_eq!(call.await.unwrap(), Ok(10));
}

/// A node that is registered later is called, and one that was deregistered is called no more, though it would answer.
pub async fn calls_follow_the_registry(world: &RpcWorld) {
    let here = Process::open(world).await;
    let (one, two) = (Process::open(world).await, Process::open(world).await);
    let client = here.client();
    let first = one.serve("one", named(1)).await;
    assert_eq!(name(&client).await, 1);
    let _second = two.serve("two", named(2)).await;
    while name(&client).await != 2 {}
    first.listed.withdraw().await;
    let mut in_a_row = 0;
    while in_a_row < 100 {
        in_a_row = if name(&client).await == 2 { in_a_row + 1 } else { 0 };
    }
    for _ in 0..100 {
        assert_eq!(name(&client).await, 2);
    }
}

/// A node that came back under its name at another address is found there, also by a client that was not told.
pub async fn a_node_that_moved_is_found(world: &RpcWorld) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let untold = Process {
        registry: Arc::new(Still(here.registry.clone())),
        ..here
    };
    let client = untold.client();
    let first = there.serve("node", named(1)).await;
    assert_eq!(name(&client).await, 1);
    let _listed = first.die().await;
    let _second = there.serve("node", named(2)).await;
    for _ in 0..10 {
        assert_eq!(name(&client).await, 2);
    }
}

/// A record whose address cannot be dialled does not keep the client from the other nodes.
pub async fn a_node_with_an_unusable_address_is_passed_over(world: &RpcWorld) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let mut listed = Vec::new();
    for (node, address) in [
        ("a", "white space"),
        ("b", "wild.*.card"),
        ("c", ".."),
        ("d", "nobody.here"),
    ] {
        listed.push(there.list(node, address, Metadata::new()).await);
    }
    let client = here.client();
    let status = refused(&client, "Test.Double", 1).await;
    assert!(status.is_never_delivered(), "{status:?}");
    let _server = there.serve("node", router()).await;
    let client = here.client();
    for number in 0..20 {
        assert_eq!(ask(&client, "Test.Double", number).await, Ok(number * 2));
    }
}

/// A client keeps no socket that nobody uses, and no call fails because one was just being closed.
pub async fn an_idle_socket_is_replaced_without_a_failure(world: &RpcWorld) {
    let idle = std::time::Duration::from_millis(2);
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let _server = there.serve("node", router()).await;
    let client = here.client_with(micro_core::ClientOptions::default().with_idle_timeout(idle));
    // Calls at times around the moment at which the socket is given up: a race that is to be met, not awaited.
    for step in 0..300 {
        tokio::time::sleep(idle * 2 + idle * (step % 20) / 10).await;
        assert_eq!(ask(&client, "Test.Double", 1).await, Ok(2));
    }
}

/// Many calls at once to a service that nobody has asked for yet ask the registry once each at most, and all succeed.
pub async fn a_thousand_first_calls_at_once_succeed(world: &RpcWorld) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let (mut gate, router) = gate();
    let _server = there.serve("node", router).await;
    let client = here.client();
    let calls = futures::future::join_all((0..1000).map(|number| {
        let client = client.clone();
        async move { ask(&client, "Test.Wait", number).await }
    }));
    let answer = async { gate.arrivals(1000).await.into_iter().for_each(Arrival::answer) };
    let (answers, ()) = tokio::join!(calls, answer);
    for (number, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer, Ok(number as u64 * 10));
    }
}
