//! Names, patterns, and what is refused.

use micro_core::{ErrorKind, SubscribeOptions};

use super::BrokerWorld;
use super::hearing::{hear, hear_number, hear_until, publish, subscribe};
use crate::value::numbered;

/// A pattern, topics that fall under it, and topics that do not.
type Case = (&'static str, &'static [&'static str], &'static [&'static str]);

const CASES: &[Case] = &[
    ("a.b", &["a.b"], &["a", "a.b.c", "A.b"]),
    ("a.*", &["a.b", "a.c"], &["a", "a.b.c", "b.b"]),
    ("*.b", &["a.b", "b.b"], &["b", "a.b.b"]),
    ("a.*.c", &["a.b.c", "a.c.c"], &["a.c", "a.b.b.c"]),
    ("a.>", &["a.b", "a.b.c.d"], &["a", "b.a"]),
    (">", &["a", "a.b", "a.b.c"], &[]),
    ("*.*", &["a.b", "b.a"], &["a", "a.b.c"]),
];

/// `*` stands for one token, and `>` as the last token for one or more.
pub async fn a_wildcard_matches_as_on_nats(world: &BrokerWorld) {
    let (here, there) = (world.open().await, world.open().await);
    for (pattern, inside, outside) in CASES {
        let mut subscription = subscribe(&there, pattern).await;
        for topic in outside.iter().chain(*inside) {
            publish(&here, topic, 0..1).await;
        }
        for expected in *inside {
            assert_eq!(hear(&mut subscription).await.topic, *expected, "{pattern}");
        }
    }
}

/// An event carries its own topic, not the pattern that it was received by.
pub async fn an_event_tells_the_topic_it_was_published_on(world: &BrokerWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let mut subscription = subscribe(&there, "orders.*.>").await;
    assert_eq!(subscription.topic(), "orders.*.>");
    publish(&here, "orders.eu.new.1", 0..1).await;
    assert_eq!(hear(&mut subscription).await.topic, "orders.eu.new.1");
}

/// Two subscriptions of one instance that both match an event each get it, once.
pub async fn overlapping_subscriptions_each_get_the_event(world: &BrokerWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let mut subscriptions = Vec::new();
    for pattern in ["a.b", "a.b", "a.*", ">"] {
        subscriptions.push(subscribe(&there, pattern).await);
    }
    publish(&here, "a.b", 0..11).await;
    for subscription in &mut subscriptions {
        assert!(hear_until(subscription, 10).await.into_iter().eq(0..10));
    }
}

/// A topic that is none is refused, and so is a wildcard to publish on; the broker goes on.
pub async fn an_illegal_topic_is_invalid_argument(world: &BrokerWorld) {
    let broker = world.open().await;
    let long = "x".repeat(256);
    let never = ["", " ", "a b", ".a", "a.", "a..b", "a\tb", "a\n", "\0", &long];
    for topic in never.iter().chain(&["a.*", ">", "a.>"]) {
        let error = broker.publish(topic, numbered(0)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "publish {topic:?}");
    }
    for topic in never.iter().chain(&["a*", "a.>.b", ">a"]) {
        let options = SubscribeOptions::default();
        let error = broker.subscribe(topic, options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "subscribe {topic:?}");
    }
    let mut subscription = subscribe(&broker, "topic").await;
    publish(&broker, "topic", 0..1).await;
    assert_eq!(hear_number(&mut subscription).await, 0);
}

/// The name of a queue group is not empty and has no white space.
pub async fn an_illegal_queue_name_is_invalid_argument(world: &BrokerWorld) {
    let broker = world.open().await;
    for queue in ["", " ", "a b", "a\tb", "a\n"] {
        let options = SubscribeOptions::default().with_queue(queue);
        let error = broker.subscribe("topic", options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{queue:?}");
    }
}
