//! Who subscribes to what, in one world, and who gets an event.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

use crate::broker::Event;
use crate::name;
use crate::queue::{self, Pushed};

/// One world: who subscribes to what.
#[derive(Debug, Default)]
pub(super) struct Hub {
    members: RwLock<BTreeMap<u64, Member>>,
    joined: AtomicU64,
    turns: AtomicU64,
}

/// One subscription, as publishers see it.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) pattern: String,
    pub(super) queue: Option<String>,
    pub(super) events: queue::Sender<Event>,
}

impl Hub {
    /// Adds a subscription, and returns its id.
    pub(super) fn join(&self, member: Member) -> u64 {
        let id = self.joined.fetch_add(1, Ordering::Relaxed);
        self.members.write().insert(id, member);
        id
    }

    /// Removes a subscription. Returns when no publisher pushes to it any more: they do so while they read the table.
    pub(super) fn part(&self, id: u64) {
        self.members.write().remove(&id);
    }

    /// Hands the event to every plain subscription and to one member of each group.
    pub(super) fn publish(&self, event: &Event) {
        let members = self.members.read();
        let mut groups = BTreeMap::<&str, Vec<&Member>>::new();
        for member in members
            .values()
            .filter(|m| name::matches(&m.pattern, &event.topic))
        {
            match &member.queue {
                None => drop(member.events.push(event.clone())),
                Some(queue) => groups.entry(queue).or_default().push(member),
            }
        }
        if groups.is_empty() {
            return;
        }
        let first = scatter(self.turns.fetch_add(1, Ordering::Relaxed));
        for group in groups.values() {
            hand_to_one(group, first, event);
        }
    }
}

/// Hands the event to one member, beginning at `first`. A full one loses it, as on a network; one that is just
/// leaving, or pauses, is passed over, also when there is no other: on a network nobody would know.
fn hand_to_one(group: &[&Member], first: usize, event: &Event) {
    for turn in 0..group.len() {
        let member = group[(first.wrapping_add(turn)) % group.len()];
        if !member.events.is_full() && member.events.push(event.clone()) != Pushed::Closed {
            return;
        }
    }
}

/// Turns a count into a number without rhythm (the finaliser of splitmix64). Whose turn it is would else depend on
/// how the publishers of several topics take turns, and a member could be left out for ever.
fn scatter(count: u64) -> usize {
    let mut bits = count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits ^ (bits >> 31)) as usize
}

#[cfg(test)]
mod tests {
    use crate::memory::MemoryBroker;
    use crate::{Broker, SubscribeOptions};

    #[tokio::test]
    async fn a_dropped_subscription_leaves_nothing_in_the_table() {
        let broker = MemoryBroker::new();
        let subscription = broker.subscribe("a", SubscribeOptions::default()).await.unwrap();
        assert_eq!(broker.hub.members.read().len(), 1);
        drop(subscription);
        assert!(broker.hub.members.read().is_empty());
    }
}
