//! What the registry says of services, and for how long.

use std::collections::BTreeSet;
use std::time::Duration;

use micro_core::registry::RegisterOptions;
use micro_core::{Action, Context, Event, Json, Node, Router, ServiceRecord, Status};

use super::ServiceWorld;
use super::process::{Process, ids, name, named, see};
use micro::SubscriberOptions;

/// Three instances are one service with three nodes, and each is called.
pub async fn instances_are_nodes_of_one_service(world: &ServiceWorld) {
    let here = Process::open(world).await;
    let mut instances = Vec::new();
    for node in ["a", "b", "c"] {
        let process = Process::open(world).await;
        instances.push(
            process
                .service("test")
                .version("1")
                .id(node)
                .serve(named(node))
                .start()
                .await
                .unwrap(),
        );
    }
    let found = here.find("test").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(ids(&found), ["a", "b", "c"]);
    let client = here.client();
    let mut called = BTreeSet::new();
    while called.len() < 3 {
        called.insert(name(&client, "test").await.unwrap());
    }
}

/// Versions of one service stay apart in the registry, and are called by one name.
pub async fn versions_stay_apart(world: &ServiceWorld) {
    let here = Process::open(world).await;
    let mut instances = Vec::new();
    for version in ["1.0.0", "2.0.0"] {
        let process = Process::open(world).await;
        let service = process.service("test").version(version).serve(named(version));
        instances.push(service.start().await.unwrap());
    }
    let found = here.find("test").await;
    let mut versions: Vec<_> = found
        .iter()
        .map(|record| (&*record.version, record.nodes.len()))
        .collect();
    versions.sort_unstable();
    assert_eq!(versions, [("1.0.0", 1), ("2.0.0", 1)]);
    let client = here.client();
    let mut called = BTreeSet::new();
    while called.len() < 2 {
        called.insert(name(&client, "test").await.unwrap());
    }
}

/// An instance that comes back under its id takes the place of the one before, also when that leaves late.
pub async fn a_successor_under_the_same_id_stays(world: &ServiceWorld) {
    let here = Process::open(world).await;
    let client = here.client();
    let start = async |generation: &str| {
        let process = Process::open(world).await;
        process
            .service("test")
            .version("1")
            .id("the-id")
            .serve(named(generation))
            .start()
            .await
            .unwrap()
    };
    let mut serving = start("0").await;
    assert_eq!(name(&client, "test").await.as_deref(), Ok("0"));
    for generation in ["1", "2", "3"] {
        let next = start(generation).await;
        serving.shutdown().await.unwrap();
        serving = next;
        for _ in 0..20 {
            assert_eq!(name(&client, "test").await.as_deref(), Ok(generation));
        }
        let found = here.find("test").await;
        assert_eq!(ids(&found), ["the-id"]);
        assert_eq!(found[0].nodes[0].address, serving.address());
    }
}

async fn echo(_: Context, number: Json<u64>) -> Result<Json<u64>, Status> {
    Ok(number)
}

async fn on_event(_: Context, _: Event) -> Result<(), Status> {
    Ok(())
}

/// The record has the endpoints, the topics and the metadata, and what a go-micro client needs; not what is internal.
pub async fn the_record_says_what_others_need(world: &ServiceWorld) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let hidden = Router::new().unary("Hidden.Echo", echo).internal();
    let router = Router::new()
        .unary("Test.Echo", echo)
        .describe("Test.Echo", "description", "It echoes.");
    let service = there
        .service("test")
        .version("1.2.3")
        .id("test-1")
        .metadata("zone", "a");
    let service = service.serve(router).serve(hidden);
    let options = SubscriberOptions::default().with_queue("workers");
    let service = service
        .subscribe_raw("orders.*", options, on_event)
        .start()
        .await
        .unwrap();
    let found = here.find("test").await;
    assert_eq!(found, [service.record().clone()]);
    let ServiceRecord {
        version,
        endpoints,
        nodes,
        ..
    } = &found[0];
    assert_eq!((version.as_str(), nodes[0].id.as_str()), ("1.2.3", "test-1"));
    assert_eq!(nodes[0].address, service.address());
    for (key, value) in [
        ("zone", "a"),
        ("protocol", "mucp"),
        ("server", "mucp"),
        ("transport", there.transport.name()),
    ] {
        assert_eq!(
            nodes[0].metadata.get(key).map(String::as_str),
            Some(value),
            "{key}"
        );
    }
    let echo = endpoints
        .iter()
        .find(|endpoint| endpoint.name == "Test.Echo")
        .unwrap();
    assert_eq!(echo.metadata["description"], "It echoes.");
    let topic = endpoints
        .iter()
        .find(|endpoint| endpoint.metadata.contains_key("subscriber"))
        .unwrap();
    assert_eq!(topic.metadata["topic"], "orders.*");
    assert!(
        endpoints
            .iter()
            .all(|endpoint| !endpoint.name.starts_with("Hidden") && !endpoint.name.starts_with("Debug"))
    );
    assert_eq!(name_of_hidden(&here).await, Ok(Json(5)));
}

async fn name_of_hidden(here: &Process) -> Result<Json<u64>, Status> {
    here.client().unary("test", "Hidden.Echo", Json(5_u64)).await
}

/// A running service is found long after its time to live: it refreshes its registration.
pub async fn a_service_outlives_its_time_to_live(world: &ServiceWorld) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let ttl = Duration::from_secs(3);
    let service = there
        .service("test")
        .register_ttl(ttl)
        .register_interval(ttl / 10);
    let _service = service.serve(named("test")).start().await.unwrap();
    // Nodes that nobody refreshes are the clock.
    for clock in ["first", "second"] {
        let record = ServiceRecord::new(clock, "1").with_node(Node::new(clock, "nowhere"));
        let options = RegisterOptions::default().with_ttl(ttl);
        let mut watcher = here.watch().await;
        there.registry.register(&record, options).await.unwrap();
        while see(&mut watcher, Action::Delete).await.name != clock {}
        assert_eq!(here.find("test").await.len(), 1);
    }
    assert_eq!(name(&here.client(), "test").await.as_deref(), Ok("test"));
}

/// A dropped service leaves the registry by itself, and whoever watches sees it go.
pub async fn a_dropped_service_leaves_the_registry(world: &ServiceWorld) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let mut watcher = here.watch().await;
    let service = there.service("test").id("the-id").start().await.unwrap();
    assert_eq!(ids(&[see(&mut watcher, Action::Create).await]), ["the-id"]);
    drop(service);
    assert_eq!(ids(&[see(&mut watcher, Action::Delete).await]), ["the-id"]);
    here.until_gone("test").await;
}
