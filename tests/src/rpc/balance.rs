//! Which of several nodes a call goes to, by what nodes say of themselves, by what a call is about, and by how nodes do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use micro_core::selector::{ConsistentHash, PeakEwma, Prefer, RoundRobin};
use micro_core::{Client, Code, Context, Json, Router, Status};

use super::RpcWorld;
use super::stage::{Instance, PATIENCE, Process, SERVICE};

/// How many keys the clauses have.
const KEYS: usize = 60;

/// `Test.Name`, which answers with the name of the node after this time.
fn named_after(name: &'static str, time: Duration) -> Router {
    Router::new().unary("Test.Name", move |_: Context, _: Json<()>| async move {
        tokio::time::sleep(time).await;
        Ok(Json(name.to_owned()))
    })
}

async fn serve(world: &RpcWorld, name: &'static str, labels: &[(&str, &str)]) -> Instance {
    let router = named_after(name, Duration::ZERO);
    Process::open(world)
        .await
        .serve_labelled(name, labels, router)
        .await
}

async fn name(client: &Client) -> String {
    let call = client.unary::<_, Json<String>>(SERVICE, "Test.Name", Json(()));
    call.timeout(PATIENCE).await.unwrap().0
}

/// Which nodes answered so many calls, and how many each.
async fn shares(client: &Client, calls: usize) -> BTreeMap<String, usize> {
    let mut shares = BTreeMap::new();
    for _ in 0..calls {
        *shares.entry(name(client).await).or_default() += 1;
    }
    shares
}

/// Which node each key goes to.
async fn places(client: &Client) -> Vec<String> {
    let mut places = Vec::new();
    for key in 0..KEYS {
        let call = client.unary::<_, Json<String>>(SERVICE, "Test.Name", Json(()));
        let call = call.key(format!("user-{key}")).timeout(PATIENCE);
        places.push(call.await.unwrap().0);
    }
    places
}

/// A call to a label goes to nodes that have it, and to no others when there are none; so does one to two labels.
pub async fn a_call_to_a_label_goes_to_its_nodes(world: &RpcWorld) {
    let _nodes = [
        serve(world, "a", &[("disk", "ssd"), ("rack", "1")]).await,
        serve(world, "b", &[("disk", "ssd"), ("rack", "2")]).await,
        serve(world, "c", &[("disk", "tape"), ("rack", "2")]).await,
    ];
    let client = Process::open(world)
        .await
        .client_that_selects(Arc::new(RoundRobin::default()));
    let ask = async |labels: &[(&'static str, &'static str)]| {
        let call = client.unary::<_, Json<String>>(SERVICE, "Test.Name", Json(()));
        let call = labels.iter().fold(call.timeout(PATIENCE), |call, (key, value)| {
            call.label(*key, *value)
        });
        call.await.map(|Json(name)| name) as Result<String, Status>
    };
    let mut names = [
        ask(&[("disk", "ssd")]).await.unwrap(),
        ask(&[("disk", "ssd")]).await.unwrap(),
    ];
    names.sort();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(ask(&[("disk", "ssd"), ("rack", "2")]).await.unwrap(), "b");
    let status = ask(&[("disk", "tape"), ("rack", "1")]).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound, "{status}");
    assert!(status.message().contains("rack=1"), "{status}");
    assert!(status.is_never_delivered());
}

/// Calls go to the zone that is preferred while it has a node, and elsewhere when it has none.
pub async fn the_own_zone_is_preferred(world: &RpcWorld) {
    let near = [
        serve(world, "near-1", &[("zone", "here")]).await,
        serve(world, "near-2", &[("zone", "here")]).await,
    ];
    let _far = serve(world, "far", &[("zone", "there")]).await;
    let strategy = Prefer::zone("here", Arc::new(RoundRobin::default()));
    let client = Process::open(world).await.client_that_selects(Arc::new(strategy));
    let shares = shares(&client, 20).await;
    assert_eq!(
        shares.into_iter().collect::<Vec<_>>(),
        [("near-1".into(), 10), ("near-2".into(), 10)]
    );
    let mut listed = Vec::new();
    for instance in near {
        listed.push(instance.die().await);
    }
    for _ in 0..10 {
        assert_eq!(name(&client).await, "far");
    }
}

/// Calls with one key go to one node, whoever calls. When that node goes, they move, and no others.
pub async fn calls_with_one_key_go_to_one_node(world: &RpcWorld) {
    let mut nodes = BTreeMap::new();
    for name in ["a", "b", "c", "d"] {
        nodes.insert(name.to_owned(), serve(world, name, &[]).await);
    }
    let clients = [
        Process::open(world)
            .await
            .client_that_selects(Arc::new(ConsistentHash::new())),
        Process::open(world)
            .await
            .client_that_selects(Arc::new(ConsistentHash::new())),
    ];
    let before = places(&clients[0]).await;
    assert_eq!(before, places(&clients[1]).await);
    let used: std::collections::BTreeSet<_> = before.iter().collect();
    assert_eq!(used.len(), 4, "{before:?}");

    let gone = before[0].clone();
    let _listed = nodes.remove(&gone).unwrap().die().await;
    let after = places(&clients[0]).await;
    assert_eq!(after, places(&clients[1]).await);
    for (before, after) in before.iter().zip(&after) {
        assert!(if *before == gone {
            *after != gone
        } else {
            after == before
        });
    }
}

/// The key may be the value of a header, which a call that says a key itself overrides.
pub async fn a_header_may_be_the_key(world: &RpcWorld) {
    let _nodes = [
        serve(world, "a", &[]).await,
        serve(world, "b", &[]).await,
        serve(world, "c", &[]).await,
    ];
    let strategy = ConsistentHash::new().by_header("Tenant");
    let client = Process::open(world).await.client_that_selects(Arc::new(strategy));
    let by_key = places(&client).await;
    for (key, place) in by_key.iter().enumerate() {
        let ask = || client.unary::<_, Json<String>>(SERVICE, "Test.Name", Json(()));
        let call = ask().header("Tenant", format!("user-{key}")).timeout(PATIENCE);
        assert_eq!(&call.await.unwrap().0, place);
        let call = ask().header("Tenant", "somebody").key(format!("user-{key}"));
        assert_eq!(&call.timeout(PATIENCE).await.unwrap().0, place);
    }
}

/// A node that answers slowly gets few calls of a client that goes by latency.
pub async fn a_slow_node_gets_fewer_calls(world: &RpcWorld) {
    let slow = named_after("slow", Duration::from_millis(300));
    let _slow = Process::open(world).await.serve("slow", slow).await;
    let _fast = serve(world, "fast", &[]).await;
    let client = Process::open(world).await.client_that_selects(Arc::new(PeakEwma));
    let shares = shares(&client, 50).await;
    assert!(shares["fast"] >= 40, "{shares:?}");
}
