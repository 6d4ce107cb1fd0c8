//! Queue groups: each event goes to one member.

use futures::future::join_all;
use micro_core::Subscription;

use super::BrokerWorld;
use super::hearing::{assert_each_once, hear_until, join_group, publish, shares, subscribe};
use crate::value::numbered;

/// Members in several instances get each event once between them.
pub async fn queue_group_gets_each_event_once(world: &BrokerWorld) {
    let publisher = world.open().await;
    let group = group(world, 3).await;
    publish(&publisher, "topic", 0..100).await;
    assert_each_once(&shares(group, 100).await, 0..100);
}

/// Of a thousand events, every member gets some.
pub async fn every_member_of_a_group_gets_a_share(world: &BrokerWorld) {
    let publisher = world.open().await;
    let group = group(world, 4).await;
    publish(&publisher, "topic", 0..1000).await;
    assert_fair(&shares(group, 1000).await);
}

/// Each group and each plain subscriber gets every event, whoever else subscribes.
pub async fn groups_and_plain_subscribers_do_not_disturb_each_other(world: &BrokerWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let mut plain = subscribe(&there, "topic").await;
    let mut alone = join_group(&there, "topic", "alone").await;
    let group = group(world, 2).await;
    publish(&here, "topic", 0..101).await;
    assert!(hear_until(&mut plain, 100).await.into_iter().eq(0..100));
    assert!(hear_until(&mut alone, 100).await.into_iter().eq(0..100));
    assert_each_once(&shares(group, 101).await, 0..101);
}

/// Members of one group that subscribe to different patterns still get each event once between them.
pub async fn a_group_is_one_across_patterns(world: &BrokerWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let mut group = Vec::new();
    for topic in ["a.topic", "a.*", ">"] {
        group.push(join_group(&there, topic, "group").await);
    }
    publish(&here, "a.topic", 0..100).await;
    assert_each_once(&shares(group, 100).await, 0..100);
}

/// A thousand publishers at once lose nothing, and leave nobody out.
pub async fn a_group_shares_the_events_of_a_thousand_publishers(world: &BrokerWorld) {
    let publishers = [world.open().await, world.open().await];
    let group = group(world, 4).await;
    let publishing = (0..1000).map(|index| {
        let publisher = publishers[index % 2].clone();
        tokio::spawn(async move { publisher.publish("topic", numbered(index)).await })
    });
    for outcome in join_all(publishing).await {
        outcome.unwrap().unwrap();
    }
    let shares = shares(group, 1000).await;
    assert_each_once(&shares, 0..1000);
    assert_fair(&shares);
}

/// Members of the queue group `group` on `topic`, each in an instance of its own.
async fn group(world: &BrokerWorld, members: usize) -> Vec<Subscription> {
    let mut group = Vec::new();
    for _ in 0..members {
        group.push(join_group(&world.open().await, "topic", "group").await);
    }
    group
}

/// A fifth of an equal share is far below what chance leaves anyone with.
fn assert_fair(shares: &[Vec<usize>]) {
    let sizes = shares.iter().map(Vec::len).collect::<Vec<_>>();
    let least = sizes.iter().sum::<usize>() / sizes.len() / 5;
    assert!(sizes.iter().all(|size| *size >= least), "{sizes:?}");
}
