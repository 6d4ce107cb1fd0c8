//! Members of queue groups that leave while they are full, and come back.

use futures::FutureExt;
use micro_core::broker::Overflow;
use micro_core::{ErrorKind, SubscribeOptions, Subscription};

use super::BrokerWorld;
use super::hearing::{assert_each_once, hear_until, publish, subscribe};
use crate::clause::skip;
use crate::value::number;

/// How many events are published at once.
const ROUND: usize = 20;

/// So many in a row are not by chance all for one of two members.
const IN_A_ROW: usize = 200;

/// Two members of a group: one that hears what it is sent at once, and one that pauses when ten events wait.
struct Stage {
    publisher: std::sync::Arc<dyn micro_core::Broker>,
    swift: Subscription,
    slow: Subscription,
    /// Hears every event where the slow one is, so that no more than a round is on its way.
    witness: Subscription,
    published: usize,
    /// By the swift one and by the slow one.
    heard: [Vec<usize>; 2],
}

impl Stage {
    /// `None` where members cannot pause.
    async fn open(world: &BrokerWorld) -> Option<Self> {
        let (here, there) = (world.open().await, world.open().await);
        if !here.capabilities().pause {
            skip("members of queue groups do not pause");
            return None;
        }
        let group = SubscribeOptions::default().with_queue("group");
        let swift = group.clone().with_capacity(1 << 20);
        let slow = group.with_capacity(10).with_overflow(Overflow::Pause);
        Some(Stage {
            swift: here.subscribe("topic", swift).await.unwrap(),
            slow: there.subscribe("topic", slow).await.unwrap(),
            witness: subscribe(&there, "topic").await,
            publisher: here,
            published: 0,
            heard: Default::default(),
        })
    }

    async fn round(&mut self) {
        let end = self.published + ROUND;
        publish(&self.publisher, "topic", self.published..end).await;
        hear_until(&mut self.witness, end - 1).await;
        self.published = end;
        hear_now(&mut self.swift, &mut self.heard[0]);
    }

    /// Publishes until the slow one gets nothing more.
    async fn until_paused(&mut self) {
        while !ends_in_a_row(&self.heard[0]) {
            self.round().await;
        }
        assert!(self.slow.level().unwrap().is_full());
    }

    /// Publishes, while the slow one reads, until it hears what was published from now on.
    async fn until_back(&mut self) {
        let now = self.published;
        while self.heard[1].last().is_none_or(|number| *number < now) {
            self.round().await;
            hear_now(&mut self.slow, &mut self.heard[1]);
        }
    }

    /// Both leave, and have heard each event once between them.
    async fn assert_nothing_was_lost(mut self) {
        assert!(self.slow.losses().is_empty(), "{:?}", self.slow.losses());
        for (member, heard) in [&mut self.swift, &mut self.slow].into_iter().zip(&mut self.heard) {
            member.drain().await.unwrap();
            while let Some(event) = member.recv().await {
                heard.push(number(&event.unwrap().message));
            }
        }
        assert_each_once(&self.heard, 0..self.published);
    }
}

/// What waits for it.
fn hear_now(subscription: &mut Subscription, heard: &mut Vec<usize>) {
    while let Some(Some(event)) = subscription.recv().now_or_never() {
        heard.push(number(&event.unwrap().message));
    }
}

fn ends_in_a_row(heard: &[usize]) -> bool {
    let Some(from) = heard.len().checked_sub(IN_A_ROW) else {
        return false;
    };
    heard[heard.len() - 1] - heard[from] == IN_A_ROW - 1
}

/// A member that is full gets no more events, and the others get them all: none is lost.
pub async fn a_full_member_pauses_and_the_others_get_its_share(world: &BrokerWorld) {
    let Some(mut stage) = Stage::open(world).await else {
        return;
    };
    assert_eq!(stage.slow.pauses(), 0);
    stage.until_paused().await;
    assert_eq!(stage.slow.pauses(), 1);
    stage.assert_nothing_was_lost().await;
}

/// A member that has read what waited gets its share again.
pub async fn a_paused_member_comes_back(world: &BrokerWorld) {
    let Some(mut stage) = Stage::open(world).await else {
        return;
    };
    stage.until_paused().await;
    stage.until_back().await;
    stage.assert_nothing_was_lost().await;
}

/// However often a member leaves and comes back, each event is handed out once.
pub async fn pausing_loses_nothing_that_was_delivered(world: &BrokerWorld) {
    let Some(mut stage) = Stage::open(world).await else {
        return;
    };
    while stage.slow.pauses() < 4 {
        for _ in 0..5 {
            stage.round().await;
        }
        hear_now(&mut stage.slow, &mut stage.heard[1]);
    }
    stage.assert_nothing_was_lost().await;
}

/// Nobody knows who is the last member. It pauses, too, and comes back.
pub async fn a_member_that_is_alone_pauses_too(world: &BrokerWorld) {
    let Some(mut stage) = Stage::open(world).await else {
        return;
    };
    stage.swift.drain().await.unwrap();
    while stage.slow.pauses() == 0 {
        stage.round().await;
    }
    stage.until_back().await;
    assert!(stage.heard[1].is_sorted(), "{:?}", stage.heard[1]);
}

/// To drain a member that pauses, or is about to, loses nothing that was delivered.
pub async fn a_paused_member_drains_what_it_has(world: &BrokerWorld) {
    let Some(mut paused) = Stage::open(world).await else {
        return;
    };
    paused.until_paused().await;
    paused.assert_nothing_was_lost().await;
    let Some(mut about_to) = Stage::open(world).await else {
        return;
    };
    while about_to.slow.pauses() == 0 {
        about_to.round().await;
    }
    about_to.slow.drain().await.unwrap();
    about_to.assert_nothing_was_lost().await;
}

/// A member that is dropped while it pauses does not come back: the others go on getting everything.
pub async fn a_member_that_is_dropped_while_it_pauses_does_not_come_back(world: &BrokerWorld) {
    let Some(mut stage) = Stage::open(world).await else {
        return;
    };
    stage.until_paused().await;
    let Stage {
        publisher,
        mut swift,
        slow,
        mut published,
        ..
    } = stage;
    drop(slow);
    for _ in 0..10 {
        let end = published + ROUND;
        publish(&publisher, "topic", published..end + 1).await;
        let mut heard = hear_until(&mut swift, end).await;
        heard.retain(|number| *number >= published);
        assert!(heard.into_iter().eq(published..end));
        published = end + 1;
    }
}

/// What a plain subscriber does not hear nobody else hears in its place.
pub async fn only_members_of_queue_groups_pause(world: &BrokerWorld) {
    let broker = world.open().await;
    let options = SubscribeOptions::default().with_overflow(Overflow::Pause);
    let error = broker.subscribe("topic", options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}
