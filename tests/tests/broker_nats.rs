//! What the broker on NATS does beyond the suite: what is not an event, what is lost, who may.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use micro_conformance::nats_server::NatsServer;
use micro_core::observe::Loss;
use micro_core::{Broker, ErrorKind, Event, Message, PluginConfig, SubscribeOptions, Subscription};
use nats_common::{Connection, Outgoing};

use broker_nats::{Encoding, NatsBroker};

/// A failure bound: nothing waits for it.
const LIMIT: Duration = Duration::from_secs(20);

fn config(server: &NatsServer) -> PluginConfig {
    PluginConfig::default().with_addresses(&server.address())
}

/// A broker as another process has it.
async fn broker(server: &NatsServer) -> NatsBroker {
    NatsBroker::new(Connection::open(&config(server)).await.unwrap())
}

/// A server that lets its one user subscribe as these permissions say.
fn permitting(subscribe: &str) -> String {
    format!(
        "authorization {{ users: [{{ user: ada, password: p, permissions: {{ subscribe: {subscribe} }} }}] }}"
    )
}

/// Such a server, and a broker of its user.
async fn restricted(subscribe: &str) -> (NatsServer, NatsBroker) {
    let server = NatsServer::builder().config(&permitting(subscribe)).start().await;
    let config = PluginConfig::default().with_addresses(&format!("nats://ada:p@{}", server.address()));
    let broker = NatsBroker::connect(&config).await.unwrap();
    (server, broker)
}

async fn subscribe(broker: &NatsBroker, topic: &str) -> Subscription {
    broker
        .subscribe(topic, SubscribeOptions::default())
        .await
        .unwrap()
}

async fn recv(subscription: &mut Subscription) -> micro_core::Result<Event> {
    let item = tokio::time::timeout(LIMIT, subscription.recv()).await;
    item.expect("something within the limit")
        .expect("the stream goes on")
}

/// It is allocated for each event.
#[tokio::test]
async fn a_publish_is_a_small_future() {
    let server = NatsServer::start().await;
    let broker = broker(&server).await;
    let publish = broker.publish("topic", Message::new("event"));
    let bytes = size_of_val(&*publish);
    assert!(bytes <= 512, "{bytes}");
    publish.await.unwrap();
}

/// More than wait for the connection at once: the first are given away, others are made again, and the rest are kept.
#[tokio::test]
async fn events_that_find_no_room_come_once() {
    const EVENTS: u32 = 5_000;
    let server = NatsServer::start().await;
    let broker = broker(&server).await;
    let options = SubscribeOptions::default().with_capacity(EVENTS as usize);
    let mut events = broker.subscribe("topic", options).await.unwrap();
    let publish = |number: u32| broker.publish("topic", Message::new(number.to_string()));
    for published in join_all((0..EVENTS).map(publish)).await {
        published.unwrap();
    }
    let mut came = Vec::new();
    for _ in 0..EVENTS {
        let body = recv(&mut events).await.unwrap().message.body;
        came.push(std::str::from_utf8(&body).unwrap().parse::<u32>().unwrap());
    }
    came.sort_unstable();
    assert!(came.into_iter().eq(0..EVENTS));
}

#[tokio::test]
async fn what_is_no_event_is_told_and_does_not_end_the_stream() {
    let server = NatsServer::start().await;
    let broker = broker(&server).await;
    let mut events = subscribe(&broker, "topic").await;
    let raw = Connection::open(&config(&server)).await.unwrap();
    for payload in ["not json", r#"{"Body":"aGk"}"#, r#"{"Header":{"a":1}}"#] {
        raw.publish(Outgoing::new("topic", payload)).await.unwrap();
        let error = recv(&mut events).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed);
        assert!(error.to_string().contains("topic: topic"), "{error}");
        assert!(
            error.to_string().contains(&format!("bytes: {}", payload.len())),
            "{error}"
        );
    }
    assert_eq!(events.losses().get(Loss::Undecodable), 3);
    raw.publish(Outgoing::new("topic", r#"{"header":{"a":"b"},"body":"aGk="}"#))
        .await
        .unwrap();
    let event = recv(&mut events).await.unwrap();
    assert_eq!(event.message, Message::new("hi").with_header("a", "b"));
}

#[tokio::test]
async fn a_native_event_that_lies_is_told_and_does_not_end_the_stream() {
    let server = NatsServer::start().await;
    let broker = broker(&server).await.with_encoding(Encoding::Native);
    let mut events = subscribe(&broker, "topic").await;
    let raw = Connection::open(&config(&server)).await.unwrap();
    // Of a later version, cut, and with a header longer than all there is.
    for payload in [&b"\x82\x00"[..], b"\x81", b"\x81\x01\x7fName"] {
        raw.publish(Outgoing::new("topic", payload)).await.unwrap();
        let error = recv(&mut events).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed);
        assert!(error.to_string().contains("topic: topic"), "{error}");
    }
    let message = Message::new("hi").with_header("a", "b");
    broker.publish("topic", message.clone()).await.unwrap();
    assert_eq!(recv(&mut events).await.unwrap().message, message);
}

/// A fleet changes over without losing an event when every subscriber is new enough first.
#[tokio::test]
async fn the_encoding_behind_an_address_is_what_publishers_write() {
    let server = NatsServer::start().await;
    let raw = Connection::open(&config(&server)).await.unwrap();
    let mut payloads = raw.subscribe("topic", None, 16).await.unwrap();
    let mut events = subscribe(&broker(&server).await, "topic").await;
    for (query, first) in [
        ("", b'{'),
        ("?encoding=go-micro", b'{'),
        ("?encoding=native", 0x81),
    ] {
        let addresses = format!("{}{query}", server.address());
        let config = PluginConfig::default().with_addresses(&addresses);
        let broker = NatsBroker::connect(&config).await.unwrap();
        broker.publish("topic", Message::new("hi")).await.unwrap();
        let payload = tokio::time::timeout(LIMIT, payloads.next()).await.unwrap();
        assert_eq!(payload.unwrap().unwrap().payload[0], first, "{query}");
        assert_eq!(
            recv(&mut events).await.unwrap().message,
            Message::new("hi"),
            "{query}"
        );
    }
    let config = PluginConfig::default().with_addresses("127.0.0.1?encoding=xml");
    let error = NatsBroker::connect(&config).await.unwrap_err();
    assert!(error.to_string().contains("known: go-micro, native"), "{error}");
}

#[tokio::test]
async fn what_peers_say_to_each_other_is_no_event() {
    let server = NatsServer::start().await;
    let broker = broker(&server).await;
    let mut events = subscribe(&broker, ">").await;
    let raw = Connection::open(&config(&server)).await.unwrap();
    for subject in [
        "_INBOX.a",
        "micro.nats.query",
        "micro.registry.nats.watch",
        "$JS.API.INFO",
    ] {
        raw.publish(Outgoing::new(subject, "{}")).await.unwrap();
    }
    raw.publish(Outgoing::new("topic", "{}")).await.unwrap();
    assert_eq!(recv(&mut events).await.unwrap().topic, "topic");
}

#[tokio::test]
async fn a_lost_connection_is_told_once_and_the_subscription_lives_on() {
    let mut server = NatsServer::start().await;
    let (here, there) = (broker(&server).await, broker(&server).await);
    let mut events = subscribe(&here, "topic").await;
    server.restart().await;
    assert_eq!(
        recv(&mut events).await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    assert_eq!(events.losses().get(Loss::Reconnect), 1);
    // Whether it subscribed again is known when something comes.
    let publishing = async {
        loop {
            // While it connects again, this fails or is lost.
            let _ = there.publish("topic", Message::new("hi")).await;
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        event = recv(&mut events) => assert_eq!(event.unwrap().message, Message::new("hi")),
        () = publishing => {}
    }
}

#[tokio::test]
async fn an_event_that_no_connection_took_was_certainly_not_sent() {
    let mut server = NatsServer::start().await;
    let broker = broker(&server).await;
    server.kill().await;
    let failed = async {
        loop {
            // Until the loss is noticed, publishes are taken.
            if let Err(error) = broker.publish("topic", Message::new("hi")).await {
                return error;
            }
        }
    };
    let error = failed.await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.undelivered(), 1);
}

#[tokio::test]
async fn a_denied_topic_is_named() {
    let (_server, broker) = restricted(r#"{ deny: "secret.>" }"#).await;
    let error = broker
        .subscribe("secret.plan", SubscribeOptions::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.to_string().contains("secret.plan"), "{error}");
}

#[tokio::test]
async fn a_refused_member_is_told_its_group_and_harms_no_other_subscription() {
    let (_server, broker) = restricted(r#"{ deny: "orders staff" }"#).await;
    let mut plain = subscribe(&broker, "orders").await;
    let of = |group| SubscribeOptions::default().with_queue(group);
    let error = broker.subscribe("orders", of("staff")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(
        error.to_string().contains(r#""orders" in queue group "staff""#),
        "{error}"
    );
    let mut others = broker.subscribe("orders", of("others")).await.unwrap();
    broker.publish("orders", Message::new("one")).await.unwrap();
    for subscription in [&mut plain, &mut others] {
        assert_eq!(recv(subscription).await.unwrap().message.body, "one");
    }
}

#[tokio::test]
async fn a_refused_subscription_harms_no_member_that_is_allowed() {
    let (_server, broker) = restricted(r#"["_INBOX.>", "orders staff"]"#).await;
    let staff = SubscribeOptions::default().with_queue("staff");
    let mut member = broker.subscribe("orders", staff).await.unwrap();
    let refused = broker.subscribe("orders", SubscribeOptions::default()).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::PermissionDenied);
    broker.publish("orders", Message::new("one")).await.unwrap();
    assert_eq!(recv(&mut member).await.unwrap().message.body, "one");
}

/// A server before 2.14 says which subscription it ends, and not of which group that was.
#[tokio::test]
async fn what_new_rules_forbid_is_told_to_each_subscription_by_its_group() {
    let (mut server, broker) = restricted(r#"{ deny: "other" }"#).await;
    let mut plain = subscribe(&broker, "orders").await;
    let staff = SubscribeOptions::default().with_queue("staff");
    let mut member = broker.subscribe("orders", staff).await.unwrap();
    server.set_config(&permitting(r#"{ deny: "orders" }"#));
    server.reload().await;
    for (subscription, said) in [
        (&mut plain, r#"subscribe to "orders";"#),
        (&mut member, r#"subscribe to "orders" in queue group "staff";"#),
    ] {
        let error = recv(subscription).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert!(error.to_string().contains(said), "{error}");
    }
}

/// Members come and go while events are published: each event is handed out once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaving_a_busy_queue_group_loses_nothing() {
    const EVENTS: usize = 20_000;
    let server = NatsServer::start().await;
    let (publisher, members) = (broker(&server).await, broker(&server).await);
    let options = SubscribeOptions::default()
        .with_queue("group")
        .with_capacity(EVENTS);
    let stays = members.subscribe("topic", options.clone()).await.unwrap();
    let publishing = tokio::spawn(async move {
        for number in 0..EVENTS {
            publisher
                .publish("topic", Message::new(number.to_string()))
                .await
                .unwrap();
            if number % 16 == 0 {
                tokio::task::yield_now().await;
            }
        }
        // What is still queued here would come when nobody is left in the group.
        publisher.flush().await.unwrap();
        publisher
    });
    let mut heard = Vec::new();
    while !publishing.is_finished() {
        let member = members.subscribe("topic", options.clone()).await.unwrap();
        heard.extend(rest_after_drain(member).await);
    }
    drop(publishing.await.unwrap());
    heard.extend(rest_after_drain(stays).await);
    let mut numbers: Vec<usize> = heard.iter().map(number).collect();
    numbers.sort_unstable();
    assert!(
        numbers.iter().copied().eq(0..EVENTS),
        "{} of {EVENTS}",
        numbers.len()
    );
}

fn number(event: &Event) -> usize {
    std::str::from_utf8(event.body()).unwrap().parse().unwrap()
}

async fn rest_after_drain(mut subscription: Subscription) -> Vec<Event> {
    subscription.drain().await.unwrap();
    rest(subscription).await
}

async fn rest(mut subscription: Subscription) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(event) = subscription.recv().await {
        events.push(event.unwrap());
    }
    events
}

#[tokio::test]
async fn subscriptions_outlive_the_broker() {
    let server = NatsServer::start().await;
    let (here, there) = (broker(&server).await, broker(&server).await);
    let mut subscriptions = Vec::new();
    for topic in ["a", "b"] {
        subscriptions.push(subscribe(&here, topic).await);
    }
    drop(here);
    join_all(["a", "b"].map(|topic| there.publish(topic, Message::new(topic)))).await;
    for subscription in &mut subscriptions {
        let event = recv(subscription).await.unwrap();
        assert_eq!(event.topic.as_bytes(), event.body());
    }
}
