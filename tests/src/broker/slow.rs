//! Subscribers that do not keep up.

use std::time::Duration;

use micro_core::observe::{Loss, losses};
use micro_core::{SubscribeOptions, Subscription};
use tokio::time::timeout;

use super::BrokerWorld;
use super::hearing::{hear_until, publish, subscribe};
use crate::value::number;

/// What does not fit into a subscriber's queue is counted, on the handle, too, and the count is told: nothing is lost in silence.
pub async fn a_slow_subscriber_learns_how_many_it_lost(world: &BrokerWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let mut slow = narrow(&there).await;
    let mut witness = subscribe(&there, "topic").await;
    publish(&here, "topic", 0..501).await;
    hear_until(&mut witness, 500).await;
    let (mut published, mut heard, mut lost) = (501, 0, 0);
    let last = loop {
        match timeout(Duration::from_millis(100), slow.recv()).await {
            Ok(Some(Ok(event))) => match number(&event.message) {
                last @ 501.. => break last,
                _ => heard += 1,
            },
            Ok(Some(Err(error))) => lost += error.lost().expect("a count"),
            Ok(None) => panic!("a slow subscription ended"),
            // Its queue is empty: one event more, and the last losses are told with it.
            Err(_) => {
                publish(&here, "topic", published..published + 1).await;
                published += 1;
            }
        }
    };
    assert!(heard >= 10, "{heard} heard");
    assert!(lost > 0, "nothing was told to be lost");
    assert_eq!(heard + lost, last as u64);
    let counted: Vec<_> = slow.losses().iter().collect();
    assert_eq!(counted, [(Loss::Slow, lost)]);
    assert!(losses().get(Loss::Slow) >= lost, "the total is less");
    assert!(witness.losses().is_empty());
}

/// Somebody else's full queue costs a subscriber of the same instance nothing.
pub async fn a_slow_subscriber_does_not_stall_its_neighbour(world: &BrokerWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let _slow = narrow(&there).await;
    let mut neighbour = subscribe(&there, "topic").await;
    for round in 0..10 {
        publish(&here, "topic", round * 500..(round + 1) * 500 + 1).await;
        let heard = hear_until(&mut neighbour, (round + 1) * 500).await;
        assert!(heard.into_iter().eq(round * 500..(round + 1) * 500));
    }
}

/// A subscription with room for ten events.
async fn narrow(broker: &std::sync::Arc<dyn micro_core::Broker>) -> Subscription {
    let options = SubscribeOptions::default().with_capacity(10);
    broker.subscribe("topic", options).await.unwrap()
}
