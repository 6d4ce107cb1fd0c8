//! The numbers of events, by which a subscriber notices that some are missing.
//!
//! The id of an event is a UUID, as go-micro's are. Those of one publisher on one topic are of version 8: their first ten
//! bytes are its epoch, chosen at random, and their last six count from 0, the highest byte first. Whoever knows nothing
//! of that has an id like any other.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use uuid::{Builder, Uuid};

/// How many topics of one publisher are numbered; the ids of others are random.
const MOST: usize = 1024;

const EPOCH: usize = 10;

/// Which publisher, and which topic; a publisher that begins anew has another.
pub(crate) type Epoch = [u8; EPOCH];

/// The numbers of one publisher, by topic. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sequences(Arc<Mutex<HashMap<String, Sequence>>>);

#[derive(Debug)]
struct Sequence {
    epoch: Epoch,
    next: u64,
    /// Of events that were not sent: somebody would miss them.
    unsent: Vec<u64>,
}

impl Sequences {
    /// The id of the next event on a topic.
    pub(crate) fn next(&self, topic: &str) -> Uuid {
        let mut topics = self.0.lock();
        if let Some(sequence) = topics.get_mut(topic) {
            return sequence.take();
        }
        if topics.len() >= MOST {
            return Uuid::new_v4();
        }
        let sequence = topics.entry(topic.to_owned()).or_insert_with(Sequence::new);
        sequence.take()
    }

    /// Takes back the id of an event that has certainly not been sent: the next one gets it.
    pub(crate) fn give_back(&self, topic: &str, id: Uuid) {
        if let (Some((epoch, number)), Some(sequence)) = (read(id), self.0.lock().get_mut(topic))
            && sequence.epoch == epoch
        {
            sequence.unsent.push(number);
        }
    }
}

impl Sequence {
    fn new() -> Self {
        let id = write(first(Uuid::new_v4()), 0);
        Sequence {
            epoch: first(id),
            next: 0,
            unsent: Vec::new(),
        }
    }

    fn take(&mut self) -> Uuid {
        let number = self.unsent.pop().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        });
        write(self.epoch, number)
    }
}

fn first(id: Uuid) -> Epoch {
    let mut epoch = Epoch::default();
    epoch.copy_from_slice(&id.as_bytes()[..EPOCH]);
    epoch
}

fn write(epoch: Epoch, number: u64) -> Uuid {
    let mut bytes = [0; 16];
    bytes[..EPOCH].copy_from_slice(&epoch);
    bytes[EPOCH..].copy_from_slice(&number.to_be_bytes()[2..]);
    Builder::from_custom_bytes(bytes).into_uuid()
}

/// What an id says, if it is a numbered one.
pub(crate) fn read(id: Uuid) -> Option<(Epoch, u64)> {
    let mut number = [0; 8];
    number[2..].copy_from_slice(&id.as_bytes()[EPOCH..]);
    (id.get_version_num() == 8).then(|| (first(id), u64::from_be_bytes(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(sequences: &Sequences, topic: &str, count: usize) -> Vec<u64> {
        let next = |_| read(sequences.next(topic)).unwrap().1;
        (0..count).map(next).collect()
    }

    #[test]
    fn each_topic_is_numbered_by_itself() {
        let sequences = Sequences::default();
        assert_eq!(numbers(&sequences, "a", 300), (0..300).collect::<Vec<_>>());
        assert_eq!(numbers(&sequences, "b", 2), [0, 1]);
        let epoch = |topic| read(sequences.next(topic)).unwrap().0;
        assert_eq!(epoch("a"), epoch("a"));
        assert_ne!(epoch("a"), epoch("b"));
    }

    #[test]
    fn what_was_not_sent_leaves_no_hole() {
        let sequences = Sequences::default();
        let ids = [sequences.next("a"), sequences.next("a")];
        sequences.give_back("a", ids[0]);
        sequences.give_back("unknown", ids[1]);
        assert_eq!(numbers(&sequences, "a", 2), [0, 2]);
    }

    #[test]
    fn topics_without_end_are_not_numbered() {
        let sequences = Sequences::default();
        for topic in 0..MOST {
            assert!(read(sequences.next(&topic.to_string())).is_some());
        }
        assert_eq!(sequences.next("more").get_version_num(), 4);
    }
}
