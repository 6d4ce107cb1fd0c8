//! Short words for what clauses do with subscriptions.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::select_all;
use micro_core::{Broker, Event, SubscribeOptions, Subscription};

use crate::value::{number, numbered};

pub(super) async fn subscribe(broker: &Arc<dyn Broker>, topic: &str) -> Subscription {
    broker
        .subscribe(topic, SubscribeOptions::default())
        .await
        .unwrap()
}

pub(super) async fn join_group(broker: &Arc<dyn Broker>, topic: &str, queue: &str) -> Subscription {
    let options = SubscribeOptions::default().with_queue(queue);
    broker.subscribe(topic, options).await.unwrap()
}

/// Publishes events with the numbers of the range.
pub(super) async fn publish(broker: &Arc<dyn Broker>, topic: &str, numbers: std::ops::Range<usize>) {
    for index in numbers {
        broker.publish(topic, numbered(index)).await.unwrap();
    }
}

/// The next event, of a subscription that has not ended.
pub(super) async fn hear(subscription: &mut Subscription) -> Event {
    match subscription.recv().await {
        Some(Ok(event)) => event,
        other => panic!("expected an event, got {other:?}"),
    }
}

pub(super) async fn hear_number(subscription: &mut Subscription) -> usize {
    number(&hear(subscription).await.message)
}

/// Every number that comes before `end`.
///
/// Whoever publishes `end` on the same topic after all others knows by it that nothing more will come.
pub(super) async fn hear_until(subscription: &mut Subscription, end: usize) -> Vec<usize> {
    let mut heard = Vec::new();
    loop {
        match hear_number(subscription).await {
            number if number == end => return heard,
            number => heard.push(number),
        }
    }
}

/// What each of a group heard, when they heard `total` events between them and nothing more.
pub(super) async fn shares(mut group: Vec<Subscription>, total: usize) -> Vec<Vec<usize>> {
    let mut shares = vec![Vec::new(); group.len()];
    let members = group.iter_mut().enumerate();
    let mut events = select_all(members.map(|(index, member)| member.map(move |event| (index, event))));
    for _ in 0..total {
        let (index, event) = events.next().await.expect("an event");
        shares[index].push(number(&event.unwrap().message));
    }
    drop(events);
    for member in &mut group {
        member.drain().await.unwrap();
        let more = member.recv().await;
        assert!(more.is_none(), "more than was published: {more:?}");
    }
    shares
}

/// Asserts that what was heard is each number of the range, once.
pub(super) fn assert_each_once(shares: &[Vec<usize>], numbers: std::ops::Range<usize>) {
    let mut heard = shares.concat();
    heard.sort_unstable();
    assert!(heard.iter().copied().eq(numbers), "heard {heard:?}");
}
