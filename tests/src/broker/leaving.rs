//! How subscriptions end.

use std::time::Duration;

use tokio::time::timeout;

use super::BrokerWorld;
use super::hearing::{assert_each_once, hear_number, hear_until, join_group, publish, shares, subscribe};

/// After `unsubscribe` returned, a member of a group gets nothing that would be lost to the others.
pub async fn nothing_is_delivered_after_unsubscribe(world: &BrokerWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let stays = join_group(&here, "topic", "group").await;
    let leaves = join_group(&there, "topic", "group").await;
    leaves.unsubscribe().await.unwrap();
    publish(&here, "topic", 0..100).await;
    assert_each_once(&shares(vec![stays], 100).await, 0..100);
}

/// A dropped member leaves its group, soon.
pub async fn a_dropped_subscription_leaves_its_group(world: &BrokerWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let mut stays = join_group(&here, "topic", "group").await;
    drop(join_group(&there, "topic", "group").await);
    // A drop cannot wait, so a few events may still go to the member that left.
    let (mut index, mut in_a_row) = (0, 0);
    while in_a_row < 20 {
        publish(&here, "topic", index..index + 1).await;
        let heard = timeout(Duration::from_millis(500), hear_number(&mut stays)).await;
        in_a_row = if heard == Ok(index) { in_a_row + 1 } else { 0 };
        index += 1;
    }
}

/// `drain` takes nothing new, and loses nothing that had been delivered.
pub async fn drain_hands_out_what_was_delivered(world: &BrokerWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let mut subscription = subscribe(&there, "topic").await;
    let mut witness = subscribe(&there, "topic").await;
    publish(&here, "topic", 0..11).await;
    assert!(hear_until(&mut witness, 10).await.into_iter().eq(0..10));
    subscription.drain().await.unwrap();
    publish(&here, "topic", 11..12).await;
    assert_eq!(hear_number(&mut witness).await, 11);
    for expected in 0..11 {
        assert_eq!(hear_number(&mut subscription).await, expected);
    }
    let end = subscription.recv().await;
    assert!(end.is_none(), "{end:?}");
}

/// To drain what is drained is not an error.
pub async fn drain_may_be_awaited_again(world: &BrokerWorld) {
    let broker = world.open().await;
    let mut subscription = subscribe(&broker, "topic").await;
    for _ in 0..3 {
        subscription.drain().await.unwrap();
    }
    for _ in 0..2 {
        assert!(subscription.recv().await.is_none());
    }
    subscription.unsubscribe().await.unwrap();
}

/// While others subscribe and leave in every way, one that stays gets every event, once and in order.
pub async fn racing_subscribers_disturb_nobody(world: &BrokerWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let mut stays = subscribe(&there, "topic").await;
    let racing = (0..4).map(|racer| {
        let broker = if racer % 2 == 0 {
            here.clone()
        } else {
            there.clone()
        };
        tokio::spawn(async move {
            for round in 0..100 {
                let queue = format!("group-{racer}");
                let mut subscription = match round % 2 {
                    0 => subscribe(&broker, "topic").await,
                    _ => join_group(&broker, "topic", &queue).await,
                };
                match round % 3 {
                    0 => drop(subscription),
                    1 => subscription.unsubscribe().await.unwrap(),
                    _ => subscription.drain().await.unwrap(),
                }
            }
        })
    });
    let racing = racing.collect::<Vec<_>>();
    for round in 0..20 {
        publish(&here, "topic", round * 50..(round + 1) * 50).await;
        for expected in round * 50..(round + 1) * 50 {
            assert_eq!(hear_number(&mut stays).await, expected);
        }
    }
    for racer in racing {
        racer.await.unwrap();
    }
}
