//! What is published arrives, as it was, at everyone who subscribed.

use micro_core::{ErrorKind, Message};

use super::BrokerWorld;
use super::hearing::{hear, hear_number, hear_until, publish, subscribe};
use crate::clause::skip;
use crate::value::{attempt, delicate, number, sized};

/// Subscribers in several instances each get every event, and none twice.
pub async fn every_plain_subscriber_gets_each_event_once(world: &BrokerWorld) {
    let brokers = [world.open().await, world.open().await, world.open().await];
    let mut subscriptions = Vec::new();
    for index in 0..6 {
        subscriptions.push(subscribe(&brokers[index % 3], "topic").await);
    }
    publish(&brokers[0], "topic", 0..101).await;
    for subscription in &mut subscriptions {
        assert!(hear_until(subscription, 100).await.into_iter().eq(0..100));
    }
}

/// A thousand events of one publisher are received in the order in which they were published.
pub async fn events_of_one_publisher_arrive_in_order(world: &BrokerWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let mut subscription = subscribe(&there, "topic").await;
    for round in 0..10 {
        publish(&here, "topic", round * 100..(round + 1) * 100).await;
        for expected in round * 100..(round + 1) * 100 {
            assert_eq!(hear_number(&mut subscription).await, expected);
        }
    }
}

/// Topics, headers and bodies arrive as they were: empty ones, large ones, every byte, and any text.
pub async fn topic_headers_and_body_arrive_unchanged(world: &BrokerWorld) {
    let (here, there) = (world.open().await, world.open().await);
    for topic in ["topic", "a.topic.of-many_tokens.1", "Größe.日本"] {
        let mut subscription = subscribe(&there, topic).await;
        for (name, message) in delicate() {
            here.publish(topic, message.clone()).await.unwrap();
            let event = hear(&mut subscription).await;
            assert_eq!((event.topic.as_str(), event.message), (topic, message), "{name}");
        }
    }
}

/// Nobody need listen.
pub async fn publish_without_subscriber_is_ok(world: &BrokerWorld) {
    let broker = world.open().await;
    publish(&broker, "topic", 0..10).await;
    drop(subscribe(&broker, "topic").await);
    publish(&broker, "topic", 0..10).await;
}

/// A subscription gets the events of its own instance, too.
pub async fn a_publisher_hears_itself(world: &BrokerWorld) {
    let broker = world.open().await;
    let mut subscription = subscribe(&broker, "topic").await;
    publish(&broker, "topic", 0..1).await;
    assert_eq!(hear_number(&mut subscription).await, 0);
}

/// Whatever is published at the instant when `subscribe` returned is received: a thousand times, without a miss.
pub async fn a_ready_subscription_gets_the_next_event(world: &BrokerWorld) {
    let (here, there) = (world.open().await, world.open().await);
    for index in 0..1000 {
        let topic = format!("topic.{index}");
        let mut subscription = subscribe(&there, &topic).await;
        publish(&here, &topic, index..index + 1).await;
        assert_eq!(hear_number(&mut subscription).await, index);
    }
}

/// An event of exactly the largest size arrives; of 4 MiB where there is no limit.
pub async fn an_event_at_the_limit_arrives(world: &BrokerWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let message = sized(here.capabilities().max_message_size.unwrap_or(4 << 20));
    let mut subscription = subscribe(&there, "topic").await;
    here.publish("topic", message.clone()).await.unwrap();
    let event = hear(&mut subscription).await;
    assert!(event.message == message, "{} bytes came", event.message.size());
}

/// An event above the limit is refused before anything is sent, and the broker goes on.
pub async fn an_event_above_the_limit_is_resource_exhausted(world: &BrokerWorld) {
    let broker = world.open().await;
    let Some(limit) = broker.capabilities().max_message_size else {
        return skip("events have no limit");
    };
    let mut subscription = subscribe(&broker, "topic").await;
    let headers = Message::default().with_header("Large", "x".repeat(limit + 1));
    for message in [sized(limit + 1), sized(2 * limit), headers] {
        let error = broker.publish("topic", message).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
    }
    publish(&broker, "topic", 0..1).await;
    assert_eq!(hear_number(&mut subscription).await, 0);
}

/// A dropped `recv` future takes no event with it.
pub async fn a_cancelled_recv_loses_no_event(world: &BrokerWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let mut subscription = subscribe(&there, "topic").await;
    let publishing = tokio::spawn(async move { publish(&here, "topic", 0..300).await });
    for expected in 0..300 {
        let event = loop {
            if let Some(event) = attempt(subscription.recv()).await {
                break event.unwrap().unwrap();
            }
        };
        assert_eq!(number(&event.message), expected);
    }
    publishing.await.unwrap();
}

/// Events that were flushed arrive although the runtime of their publisher ends at once, as that of a program does.
pub async fn a_flushed_event_outlives_its_publisher(world: &BrokerWorld) {
    let mut subscription = subscribe(&world.open().await, "topic").await;
    let publish_and_end = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async {
            let broker = world.open().await;
            publish(&broker, "topic", 0..100).await;
            broker.flush().await.unwrap();
        });
    };
    std::thread::scope(|scope| scope.spawn(publish_and_end).join().unwrap());
    for expected in 0..100 {
        assert_eq!(hear_number(&mut subscription).await, expected);
    }
}
