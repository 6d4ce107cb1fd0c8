//! Which node a call goes to, and how the client learns of nodes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use micro_core::selector::{LeastLoaded, strategies, strategy};
use micro_core::{Client, ClientOptions, Code, Context, Json, Metadata, Router, Streaming};

use super::RpcWorld;
use super::handlers::{Arrival, gate, router};
use super::stage::{Process, SERVICE, ask, refused};
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

/// A service that nobody serves is `NotFound`, by name and said once, for every kind of call.
pub async fn an_unknown_service_is_not_found(world: &RpcWorld) {
    let client = Process::open(world).await.client();
    let status = refused(&client, "Test.Double", 1).await;
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(
        status.message().matches(&format!("{SERVICE:?}")).count(),
        1,
        "{status}"
    );
    assert_eq!(status.message().matches("nobody serves").count(), 1, "{status}");
    assert!(status.is_never_delivered());
    let call = client.client_stream::<_, Json<u64>>(SERVICE, "Test.Sum", Streaming::from_iter([Json(1_u64)]));
    assert_eq!(call.await.unwrap_err().code(), Code::NotFound);
    let _server = Process::open(world).await.serve("node", router()).await;
    assert_eq!(ask(&client, "Test.Double", 1).await, Ok(2));
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
        let expected = match strategy_name {
            "round_robin" => CALLS / 3,
            // It sends what it can to the fastest, and to each once to learn which that is.
            "peak_ewma" => 1,
            _ => CALLS / 6,
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
    let idle = Duration::from_millis(2);
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let _server = there.serve("node", router()).await;
    let client = here.client_with(ClientOptions::default().with_idle_timeout(idle));
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
