//! What one call says of the nodes that it may go to, and of how long it may take.

use std::sync::Arc;
use std::time::{Duration, Instant};

use micro_core::selector::{Candidates, RoundRobin, Strategy, Target};
use micro_core::{Client, Code, Context, Json, Router, Status};

use super::RpcWorld;
use super::handlers::router;
use super::stage::{Instance, PATIENCE, Process, SERVICE, ask};

/// `Test.Name`, which answers with the name of the node.
fn named(name: &'static str) -> Router {
    let answer = move |_: Context, _: Json<()>| async move { Ok(Json(name.to_owned())) };
    Router::new().unary("Test.Name", answer)
}

/// Nodes with their versions, each in a process of its own.
async fn nodes(world: &RpcWorld, nodes: &[(&'static str, &str)]) -> Vec<Instance> {
    let mut instances = Vec::new();
    for (node, version) in nodes {
        let process = Process::open(world).await;
        instances.push(process.serve_version(node, version, named(node)).await);
    }
    instances
}

/// Picks the node whose id comes first.
#[derive(Debug)]
struct First;

impl Strategy for First {
    fn pick<'a>(&self, candidates: &Candidates<'a, '_>) -> Option<&'a Arc<Target>> {
        candidates.iter().min_by_key(|target| &target.node().id)
    }
}

async fn asked_at(client: &Client, node: &'static str) -> Result<String, Status> {
    let call = client.unary::<_, Json<String>>(SERVICE, "Test.Name", Json(()));
    let Json(name) = call.node(node).timeout(PATIENCE).await?;
    Ok(name)
}

/// A call to one node goes to that node, whatever the client would pick.
pub async fn a_call_to_one_node_goes_there(world: &RpcWorld) {
    let instances = nodes(world, &[("a", "1"), ("b", "1"), ("c", "1")]).await;
    let client = Process::open(world).await.client_that_selects(Arc::new(First));
    for node in ["c", "b", "a", "c"] {
        assert_eq!(asked_at(&client, node).await.unwrap(), node);
    }
    drop(instances);
}

/// A call to one node goes to no other: not when the service has no such node, and not when the node is gone.
pub async fn a_call_to_one_node_goes_to_no_other(world: &RpcWorld) {
    let mut instances = nodes(world, &[("a", "1"), ("b", "1")]).await;
    let client = Process::open(world).await.client();
    let status = asked_at(&client, "z").await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound, "{status}");
    assert!(
        status.message().contains(SERVICE) && status.message().contains('z'),
        "{status}"
    );
    assert!(status.is_never_delivered());
    let listed = instances.remove(0).die().await;
    let status = asked_at(&client, "a").await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    assert_eq!(asked_at(&client, "b").await.unwrap(), "b");
    drop(listed);
}

/// A call to a version goes to nodes of that version, and to no others when there are none.
pub async fn a_call_to_a_version_goes_to_its_nodes(world: &RpcWorld) {
    let instances = nodes(world, &[("a", "1"), ("b", "2"), ("c", "2")]).await;
    let client = Process::open(world)
        .await
        .client_that_selects(Arc::new(RoundRobin::default()));
    let ask = |version: &'static str| {
        let call = client.unary::<_, Json<String>>(SERVICE, "Test.Name", Json(()));
        call.version(version).timeout(PATIENCE)
    };
    let mut names = Vec::new();
    for _ in 0..4 {
        names.push(ask("2").await.unwrap().0);
    }
    assert_eq!(ask("1").await.unwrap().0, "a");
    names.sort();
    names.dedup();
    assert_eq!(names, ["b", "c"]);
    let status = ask("3").await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound, "{status}");
    drop(instances);
}

/// A strategy given to a call picks its node, and leaves the other calls alone.
pub async fn a_call_may_bring_a_strategy(world: &RpcWorld) {
    let instances = nodes(world, &[("a", "1"), ("b", "1")]).await;
    let client = Process::open(world)
        .await
        .client_that_selects(Arc::new(RoundRobin::default()));
    let strategy = Arc::new(First);
    let ask = || {
        client
            .unary::<_, Json<String>>(SERVICE, "Test.Name", Json(()))
            .timeout(PATIENCE)
    };
    for _ in 0..6 {
        assert_eq!(ask().select(strategy.clone()).await.unwrap().0, "a");
    }
    let mut names = [ask().await.unwrap().0, ask().await.unwrap().0];
    names.sort();
    assert_eq!(names, ["a", "b"]);
    drop(instances);
}

/// A deadline may be a point in time; of two, the earlier holds.
pub async fn a_deadline_may_be_a_point_in_time(world: &RpcWorld) {
    let process = Process::open(world).await;
    let left = Router::new().unary("Test.Left", |context: Context, _: Json<()>| async move {
        Ok(Json(context.remaining().map(|left| left.as_secs())))
    });
    let _server = process.serve("node", router().merge(left)).await;
    let client = process.client();
    assert_eq!(ask(&client, "Test.Double", 1).await, Ok(2));
    let call = client.unary::<_, Json<Option<u64>>>(SERVICE, "Test.Left", Json(()));
    let call = call.deadline(Instant::now() + Duration::from_secs(60));
    let Json(left) = call.timeout(Duration::from_secs(600)).await.unwrap();
    assert!((30..60).contains(&left.unwrap()), "{left:?}");
    let call = client.unary::<_, Json<Option<u64>>>(SERVICE, "Test.Left", Json(()));
    let status = call.deadline(Instant::now()).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
    assert!(status.is_never_delivered());
}
