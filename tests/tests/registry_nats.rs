//! What the registry on NATS does beyond the suite: beside go-micro peers, with silent and hostile ones, and many.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::time::{Duration, Instant};

use futures::StreamExt;
use micro_conformance::nats_server::NatsServer;
use micro_core::registry::{RegisterOptions, WatchOptions};
use micro_core::{Action, Change, ErrorKind, Node, PluginConfig, Registry, ServiceRecord, Watcher};
use nats_common::{Connection, Feed, Outgoing};
use serde_json::Value;
use tokio_util::task::AbortOnDropHandle;

use registry_nats::{NatsRegistry, RegistryOptions, Topics};

/// A failure bound: nothing waits for it.
const LIMIT: Duration = Duration::from_secs(20);

/// Answers get this long on a busy machine.
fn patient() -> RegistryOptions {
    RegistryOptions::default().with_query_limit(Duration::from_secs(2))
}

async fn connection(server: &NatsServer) -> std::sync::Arc<Connection> {
    let config = PluginConfig::default().with_addresses(&server.address());
    Connection::open(&config).await.unwrap()
}

/// A registry as another process has it.
async fn registry(server: &NatsServer, options: RegistryOptions) -> NatsRegistry {
    NatsRegistry::new(connection(server).await, options)
}

fn service(name: &str, node: &str) -> ServiceRecord {
    let node = Node::new(node, "address").with_metadata("protocol", "mucp");
    ServiceRecord::new(name, "1").with_node(node)
}

async fn register(registry: &NatsRegistry, record: &ServiceRecord) {
    registry
        .register(record, RegisterOptions::default())
        .await
        .unwrap();
}

async fn watch(registry: &NatsRegistry) -> Watcher {
    registry.watch(WatchOptions::default()).await.unwrap()
}

async fn see(watcher: &mut Watcher) -> micro_core::Result<Change> {
    let change = tokio::time::timeout(LIMIT, watcher.recv()).await;
    change.expect("a change within the limit")
}

#[tokio::test]
async fn a_go_micro_service_is_found_and_seen() {
    let server = NatsServer::start().await;
    let here = registry(&server, patient()).await;
    let mut watcher = watch(&here).await;
    let go = GoService::start(&server).await;
    go.say("micro.nats.watch", &go.create).await;
    let seen = see(&mut watcher).await.unwrap();
    assert_eq!(
        (seen.action, seen.service.name.as_str()),
        (Action::Create, "greeter")
    );
    let found = here.get("greeter").await.unwrap();
    assert_eq!(found, [seen.service]);
    assert_eq!(found[0].nodes[0].metadata["protocol"], "mucp");
    assert!(
        found[0]
            .endpoints
            .iter()
            .any(|endpoint| endpoint.name == "Greeter.Hello")
    );
    assert_eq!(here.list().await.unwrap(), found);
    go.say("micro.nats.watch", &go.delete).await;
    assert_eq!(see(&mut watcher).await.unwrap().action, Action::Delete);
}

/// A go-micro service, as captured: it announces itself, and answers every query.
struct GoService {
    connection: std::sync::Arc<Connection>,
    create: String,
    delete: String,
    _answers: tokio::task::JoinHandle<()>,
}

impl GoService {
    async fn start(server: &NatsServer) -> Self {
        let connection = connection(server).await;
        let mut queries = connection.subscribe("micro.nats.query", None, 16).await.unwrap();
        let (answer, replier) = (captured("\"nodes\":[{", "\"Action\""), connection.clone());
        let answers = tokio::spawn(async move {
            while let Some(Ok(query)) = queries.next().await {
                let answer = Outgoing::new(query.reply.unwrap(), answer.clone());
                replier.publish(answer).await.unwrap();
            }
        });
        GoService {
            connection,
            create: captured("\"Action\":\"create\"", "nothing"),
            delete: captured("\"Action\":\"delete\"", "nothing"),
            _answers: answers,
        }
    }

    async fn say(&self, subject: &'static str, payload: &str) {
        self.connection
            .publish(Outgoing::new(subject, payload.to_owned()))
            .await
            .unwrap();
    }
}

/// The first payload of the registry's capture that has one text in it and not the other.
fn captured(has: &str, has_not: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/go-micro-v6.jsonl");
    let lines = fs::read_to_string(path).unwrap();
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut payloads = lines
        .filter(|line| line["capture"] == "reg")
        .map(|line| line["payload"].as_str().unwrap().to_owned());
    payloads
        .find(|payload| payload.contains(has) && !payload.contains(has_not))
        .unwrap()
}

#[tokio::test]
async fn what_registries_do_not_say_is_ignored_and_counted() {
    let server = NatsServer::start().await;
    let (here, raw) = (registry(&server, patient()).await, connection(&server).await);
    register(&here, &service("greeter", "node")).await;
    let mut watcher = watch(&here).await;
    let bad = [
        "null",
        "",
        "{}",
        "[]",
        "not json",
        "{\"Service\":null,\"Action\":\"get\"}",
        "{\"Action\":\"create\"}",
    ];
    let mailbox = raw.mailbox(1);
    for payload in bad {
        let query = Outgoing::new("micro.nats.query", payload).with_reply(mailbox.subject().clone());
        raw.publish(query).await.unwrap();
        raw.publish(Outgoing::new("micro.nats.watch", payload))
            .await
            .unwrap();
    }
    raw.fence().await.unwrap();
    register(&here, &service("greeter", "node")).await;
    assert_eq!(see(&mut watcher).await.unwrap().service.name, "greeter");
    assert_eq!(here.get("greeter").await.unwrap(), [service("greeter", "node")]);
    assert_eq!(here.ignored(), 2 * bad.len() as u64);
}

#[tokio::test]
async fn no_answer_goes_where_registries_listen() {
    let server = NatsServer::start().await;
    let (here, raw) = (registry(&server, patient()).await, connection(&server).await);
    register(&here, &service("greeter", "node")).await;
    let subjects = [
        "micro.nats.watch",
        "micro.nats.query",
        "micro.registry.nats.watch",
        "micro.registry.nats.query",
    ];
    let mut heard = raw.subscribe("micro.>", None, 100).await.unwrap();
    for subject in subjects {
        let query = Outgoing::new("micro.nats.query", r#"{"Service":null,"Action":"list"}"#);
        raw.publish(query.with_reply(subject)).await.unwrap();
    }
    // Answered after those.
    let mut mailbox = raw.mailbox(1);
    let query = Outgoing::new("micro.nats.query", r#"{"Service":null,"Action":"list"}"#);
    raw.publish(query.with_reply(mailbox.subject().clone()))
        .await
        .unwrap();
    mailbox.next().await.unwrap().unwrap();
    for _ in 0..=subjects.len() {
        let message = heard.next().await.unwrap().unwrap();
        assert_eq!(message.payload, r#"{"Service":null,"Action":"list"}"#);
    }
    assert_eq!(here.ignored(), 4);
}

/// Everything that a registry publishes in its life, as the wire has it, can be read by go-micro.
#[tokio::test]
async fn nothing_on_the_wire_can_harm_a_go_micro_process() {
    let server = NatsServer::start().await;
    let raw = connection(&server).await;
    let mut heard = raw.subscribe("micro.>", None, 1000).await.unwrap();
    let here = registry(&server, patient().with_topics(Topics::Both)).await;
    register(&here, &service("greeter", "node")).await;
    register(&here, &service("greeter", "node")).await;
    let short = RegisterOptions::default().with_ttl(Duration::from_millis(1));
    let mut watcher = watch(&here).await;
    here.register(&service("short", "node"), short).await.unwrap();
    while see(&mut watcher).await.unwrap().action != Action::Delete {}
    here.get("greeter").await.unwrap();
    here.list().await.unwrap();
    here.deregister(&service("greeter", "node")).await.unwrap();
    register(&here, &service("dropped", "node")).await;
    drop(here);
    // Creates of greeter (2), short and dropped, deletes of all three, a get and a list: on both topics.
    let mut actions = Vec::new();
    for _ in 0..2 * 9 {
        actions.push(harmless(&mut heard).await);
    }
    actions.sort_unstable();
    let expected = [("create", 8), ("delete", 6), ("get", 2), ("list", 2)];
    let expected = expected.iter().flat_map(|(action, count)| vec![*action; *count]);
    assert!(actions.iter().map(String::as_str).eq(expected), "{actions:?}");
}

/// The action of the next message, which has what go-micro relies on.
async fn harmless(heard: &mut Feed) -> String {
    let message = tokio::time::timeout(LIMIT, heard.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let notice: Value = serde_json::from_slice(&message.payload).unwrap();
    let action = notice["Action"].as_str().unwrap().to_owned();
    if action == "list" {
        return action;
    }
    let service = notice["Service"].as_object().unwrap();
    assert!(!service["name"].as_str().unwrap().is_empty());
    let nodes = service["nodes"].as_array().unwrap();
    assert!(nodes.iter().all(|node| !node["id"].as_str().unwrap().is_empty()));
    assert!(action != "create" || nodes.iter().all(|node| node["metadata"]["protocol"] == "mucp"));
    action
}

#[tokio::test]
async fn a_node_that_names_no_protocol_gets_the_one_we_speak() {
    let server = NatsServer::start().await;
    let (here, there) = (
        registry(&server, patient()).await,
        registry(&server, patient()).await,
    );
    let bare = ServiceRecord::new("greeter", "1").with_node(Node::new("a", "x"));
    register(
        &here,
        &bare.with_node(Node::new("b", "y").with_metadata("protocol", "grpc")),
    )
    .await;
    let nodes = there.get("greeter").await.unwrap().remove(0).nodes;
    let protocols: Vec<_> = nodes
        .iter()
        .map(|node| node.metadata["protocol"].as_str())
        .collect();
    assert_eq!(protocols, ["mucp", "grpc"]);
}

#[tokio::test]
async fn where_nobody_listens_nothing_is_waited_for() {
    let server = NatsServer::start().await;
    let hours = RegistryOptions::default().with_query_limit(Duration::from_secs(9999));
    let here = registry(&server, hours.with_topics(Topics::Both)).await;
    let asking = async {
        let error = here.get("nobody").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        for said in [&*server.address(), "topics=both", "no registry listens"] {
            assert!(error.to_string().contains(said), "{error}");
        }
        assert!(here.list().await.unwrap().is_empty());
    };
    tokio::time::timeout(LIMIT, asking).await.unwrap();
}

#[tokio::test]
async fn a_query_ends_when_all_that_are_known_have_answered() {
    let server = NatsServer::start().await;
    let quiet = Duration::from_secs(2);
    let options = RegistryOptions::default()
        .with_quiet(quiet)
        .with_query_limit(2 * LIMIT);
    let here = registry(&server, options).await;
    let others = [
        registry(&server, patient()).await,
        registry(&server, patient()).await,
    ];
    register(&others[0], &service("greeter", "a")).await;
    let _watcher = watch(&here).await;
    let ask = async || {
        let began = Instant::now();
        (
            here.get("greeter").await.unwrap()[0].nodes.len(),
            began.elapsed() < quiet,
        )
    };
    assert_eq!(ask().await, (1, false));
    assert_eq!(ask().await, (1, true));
    // One more is waited for without being asked for again, since it was announced.
    register(&others[1], &service("greeter", "b")).await;
    assert_eq!(ask().await, (2, true));
}

#[tokio::test]
async fn a_node_that_dies_without_a_word_ages_out() {
    let server = NatsServer::start().await;
    let (ttl, raw) = (Duration::from_millis(300), connection(&server).await);
    let here = registry(&server, patient().with_node_ttl(ttl)).await;
    let mut watcher = watch(&here).await;
    let create =
        r#"{"Service":{"name":"a","version":"1","nodes":[{"id":"n","address":"x"}]},"Action":"create"}"#;
    raw.publish(Outgoing::new("micro.nats.watch", create))
        .await
        .unwrap();
    assert_eq!(see(&mut watcher).await.unwrap().action, Action::Create);
    let gone = see(&mut watcher).await.unwrap();
    assert_eq!(
        (gone.action, gone.service.nodes[0].id.as_str()),
        (Action::Delete, "n")
    );
}

#[tokio::test]
async fn both_generations_find_each_other_through_one_that_speaks_both() {
    let server = NatsServer::start().await;
    let mut registries = Vec::new();
    for (name, topics) in [
        ("new", Topics::Current),
        ("old", Topics::Plugins),
        ("both", Topics::Both),
    ] {
        let registry = registry(&server, patient().with_topics(topics)).await;
        register(&registry, &service(name, "node")).await;
        registries.push(registry);
    }
    let mut found = Vec::new();
    for registry in &registries {
        let names = registry
            .list()
            .await
            .unwrap()
            .into_iter()
            .map(|record| record.name);
        found.push(names.collect::<Vec<_>>().join(" "));
    }
    assert_eq!(found, ["both new", "both old", "both new old"]);
}

#[tokio::test]
async fn after_a_restart_of_the_server_services_are_found_as_before() {
    let mut server = NatsServer::start().await;
    let (here, there) = (
        registry(&server, patient()).await,
        registry(&server, patient()).await,
    );
    register(&there, &service("greeter", "node")).await;
    let mut watcher = watch(&here).await;
    server.restart().await;
    assert_eq!(
        see(&mut watcher).await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    let find = async {
        loop {
            match here.get("greeter").await {
                Ok(found) => return found,
                Err(error) => assert!(
                    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unavailable),
                    "{error}"
                ),
            }
            tokio::task::yield_now().await;
        }
    };
    let found = tokio::time::timeout(LIMIT, find).await.unwrap();
    assert_eq!(found, [service("greeter", "node")]);
    register(&there, &service("other", "node")).await;
    assert_eq!(see(&mut watcher).await.unwrap().service.name, "other");
}

#[tokio::test]
async fn a_silent_server_is_not_taken_for_an_unknown_service() {
    let server = NatsServer::start().await;
    let here = registry(&server, RegistryOptions::default()).await;
    register(&here, &service("greeter", "node")).await;
    server.freeze().await;
    let error = here.get("other").await.unwrap_err();
    server.thaw().await;
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
}

#[tokio::test]
async fn whoever_answers_without_end_does_not_hold_a_query() {
    let answer = captured("\"nodes\":[{", "\"Action\"");
    let another = answer.replace("\"greeter\"", "\"another\"");
    for (first, expected) in [(answer.as_str(), Ok(1)), ("nonsense", Err(ErrorKind::NotFound))] {
        let server = NatsServer::start().await;
        let _flood = flood(&server, [first, &another, "nonsense"].map(str::to_owned)).await;
        // So long that only the number of answers can end it.
        let options = RegistryOptions::default().with_query_limit(Duration::from_secs(600));
        let here = registry(&server, options.with_quiet(Duration::from_secs(600))).await;
        let found = tokio::time::timeout(Duration::from_secs(300), here.get("greeter")).await;
        let found = found.expect("the query ends").map(|records| records.len());
        assert_eq!(found.map_err(|error| error.kind()), expected);
    }
}

/// Answers one query until it is dropped: once with the first, and then with what answers nothing.
async fn flood(server: &NatsServer, [first, second, third]: [String; 3]) -> AbortOnDropHandle<()> {
    let connection = connection(server).await;
    let mut queries = connection.subscribe("micro.nats.query", None, 16).await.unwrap();
    AbortOnDropHandle::new(tokio::spawn(async move {
        let reply = queries.next().await.unwrap().unwrap().reply.unwrap();
        let without_end = [second, third].into_iter().cycle();
        for payload in std::iter::once(first).chain(without_end) {
            let answer = Outgoing::new(reply.clone(), payload);
            connection.publish(answer).await.unwrap();
        }
    }))
}

/// A thousand processes with one node each answer one query.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_nodes_are_found_and_seen() {
    const NODES: usize = 1000;
    let server = NatsServer::start().await;
    let (shared, options) = (connection(&server).await, patient().with_query_limit(LIMIT));
    let here = registry(&server, options.clone()).await;
    let mut watcher = watch(&here).await;
    let mut others = Vec::new();
    for number in 0..NODES {
        let other = NatsRegistry::new(shared.clone(), options.clone());
        register(&other, &service("greeter", &format!("node-{number:04}"))).await;
        others.push(other);
    }
    let nodes = here.get("greeter").await.unwrap().remove(0).nodes;
    assert_eq!(nodes.len(), NODES);
    assert!(nodes.is_sorted_by_key(|node| node.id.clone()));
    for _ in 0..NODES {
        assert_eq!(see(&mut watcher).await.unwrap().action, Action::Create);
    }
}

/// More than fits into one message.
#[tokio::test]
async fn ten_thousand_nodes_of_one_process_are_found() {
    let server = NatsServer::start().await;
    let options = patient().with_query_limit(LIMIT);
    let (here, there) = (
        registry(&server, options.clone()).await,
        registry(&server, options).await,
    );
    let mut record = ServiceRecord::new("greeter", "1");
    record.nodes = (0..10_000)
        .map(|number| {
            Node::new(format!("node-{number:05}"), "a".repeat(100)).with_metadata("protocol", "mucp")
        })
        .collect();
    register(&there, &record).await;
    assert!(here.get("greeter").await.unwrap() == [record]);
}
