//! Whatever is done with a registry of ours, what it says can be read by a go-micro process, which dies of much.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::{Client, Message, Subscriber};
use futures::StreamExt as _;
use micro::registry::RegisterOptions;
use micro::{Endpoint, Metadata, Node, PluginConfig, Registry, ServiceRecord};
use micro_conformance::nats_server::NatsServer;
use micro_core::shape;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use registry_nats::{NatsRegistry, RegistryOptions, Topics};

use crate::capture::LIMIT;
use crate::reader::{SUBJECTS, notice, read, service};

/// What can be done with a registry, or happen to it.
#[derive(Clone, Debug)]
enum Step {
    Register(ServiceRecord, u64),
    Deregister(ServiceRecord),
    Get(String),
    List,
    Watch,
    /// The process ends, and another begins.
    Restart,
    /// Somebody asks, or says, what nobody should.
    Hear(&'static str, &'static str),
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-c]{1,2}",
        1 => any::<String>(),
        1 => Just("null".to_owned()),
        1 => Just("\u{2028}<&>\0".to_owned())
    ]
}

fn metadata() -> impl Strategy<Value = Metadata> {
    btree_map(text(), text(), 0..3).prop_map(|entries| entries.into_iter().collect())
}

fn value() -> impl Strategy<Value = shape::Value> {
    let leaf = (text(), text()).prop_map(|(name, kind)| shape::Value {
        name,
        kind,
        values: Vec::new(),
    });
    leaf.prop_recursive(3, 12, 3, |inner| {
        (text(), text(), vec(inner, 0..3)).prop_map(|(name, kind, values)| shape::Value {
            name,
            kind,
            values,
        })
    })
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    let parts = (
        proptest::option::of(value()),
        proptest::option::of(value()),
        metadata(),
        text(),
    );
    parts.prop_map(|(request, response, metadata, name)| Endpoint {
        request,
        response,
        metadata,
        name,
    })
}

fn node() -> impl Strategy<Value = Node> {
    (text(), text(), metadata()).prop_map(|(id, address, metadata)| Node {
        metadata,
        id,
        address,
    })
}

/// Names of a small set, so that steps meet, and some that are refused.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[ab]", 1 => text()]
}

fn record() -> impl Strategy<Value = ServiceRecord> {
    let parts = (
        name(),
        text(),
        metadata(),
        vec(endpoint(), 0..3),
        vec(node(), 0..4),
    );
    parts.prop_map(|(name, version, metadata, endpoints, nodes)| ServiceRecord {
        name,
        version,
        metadata,
        endpoints,
        nodes,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let said = prop::sample::select(vec![
        "null",
        "{}",
        "[]",
        "",
        "7",
        r#"{"Action":"get"}"#,
        r#"{"Action":"create","Service":null}"#,
        r#"{"Action":"get","Service":{"name":"a"}}"#,
        r#"{"Action":"list"}"#,
        r#"{"Action":"create","Service":{"name":"a","nodes":[null]}}"#,
        r#"{"Action":"create","Service":{"name":"a","nodes":[{"id":"x","address":"y"}]}}"#,
    ]);
    prop_oneof![
        4 => (record(), 1_u64..60_000).prop_map(|(record, ttl)| Step::Register(record, ttl)),
        2 => record().prop_map(Step::Deregister),
        2 => name().prop_map(Step::Get),
        1 => Just(Step::List),
        1 => Just(Step::Watch),
        1 => Just(Step::Restart),
        2 => (prop::sample::select(SUBJECTS.to_vec()), said).prop_map(|(subject, said)| Step::Hear(subject, said)),
    ]
}

#[test]
fn nothing_that_our_registry_says_can_end_a_go_micro_process() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(NatsServer::start());
    let config = ProptestConfig {
        cases: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let said = Cell::new(0);
    proptest!(config, |(steps in vec(step(), 1..25))| {
        said.set(said.get() + runtime.block_on(play(&server, steps))?);
    });
    assert!(said.get() > 300, "only {} messages were said", said.get());
}

/// Plays the steps, and reads all that was said meanwhile.
async fn play(server: &NatsServer, steps: Vec<Step>) -> Result<usize, TestCaseError> {
    let nats = async_nats::connect(server.url()).await.unwrap();
    let mut all = nats.subscribe(">").await.unwrap();
    heard(&nats, &mut all).await;
    let mut registry = open(server).await;
    let (mut watchers, mut strange) = (Vec::new(), Vec::new());
    for step in steps {
        // What is refused is said to nobody.
        match step {
            Step::Register(record, ttl) => {
                let options = RegisterOptions::default().with_ttl(Duration::from_millis(ttl));
                registry.register(&record, options).await.ok();
            }
            Step::Deregister(record) => drop(registry.deregister(&record).await),
            Step::Get(name) => drop(registry.get(&name).await),
            Step::List => drop(registry.list().await),
            Step::Watch => watchers.push(registry.watch(Default::default()).await.unwrap()),
            Step::Restart => registry = open(server).await,
            Step::Hear(subject, said) => {
                strange.push((subject, said));
                let inbox = nats.new_inbox();
                nats.publish_with_reply(subject, inbox, said.into())
                    .await
                    .unwrap();
                nats.flush().await.unwrap();
            }
        }
    }
    drop((registry, watchers));
    let heard = heard(&nats, &mut all).await;
    let asked: BTreeSet<_> = heard
        .iter()
        .filter_map(|message| message.reply.as_ref())
        .collect();
    let mut said = 0;
    for message in &heard {
        let stranger =
            |(subject, said): &(&str, &str)| message.subject.as_str() == *subject && message.payload == *said;
        if SUBJECTS.contains(&message.subject.as_str()) {
            match strange.iter().position(stranger) {
                Some(index) => drop(strange.remove(index)),
                None => notice(message)?,
            }
            said += 1;
        } else if asked.contains(&message.subject) && !message.payload.is_empty() {
            service(&read(message)?)?;
            said += 1;
        }
    }
    prop_assert!(strange.is_empty(), "not heard: {strange:?}");
    Ok(said)
}

async fn open(server: &NatsServer) -> NatsRegistry {
    let config = PluginConfig::default().with_addresses(&server.address());
    let connection = nats_common::Connection::open(&config).await.unwrap();
    let options = RegistryOptions::default().with_topics(Topics::Both);
    let limit = Duration::from_millis(20);
    NatsRegistry::new(connection, options.with_query_limit(limit))
}

/// All that was published up to now.
async fn heard(nats: &Client, all: &mut Subscriber) -> Vec<Message> {
    let mark = nats.new_inbox();
    nats.publish(mark.clone(), "mark".into()).await.unwrap();
    nats.flush().await.unwrap();
    let mut heard = Vec::new();
    loop {
        let message = tokio::time::timeout(LIMIT, all.next())
            .await
            .expect("a message")
            .unwrap();
        match *message.subject == *mark {
            true => return heard,
            false => heard.push(message),
        }
    }
}
