//! Answers that may still come though nobody waits for them any more.

use std::collections::HashSet;

use crate::by_id::ById;

/// How many are told apart. With more it is only known that there are some.
const MOST: usize = 1024;

/// The calls of a go-micro server which may still be answered: it cannot be told that their callers went away, and it
/// leaves the id out of some of its answers.
#[derive(Debug, Default)]
pub(super) struct Owed {
    ids: HashSet<u64, ById>,
    too_many: bool,
}

impl Owed {
    pub(super) fn add(&mut self, id: u64) {
        self.too_many |= self.ids.len() >= MOST;
        match self.too_many {
            true => self.ids = HashSet::default(),
            false => drop(self.ids.insert(id)),
        }
    }

    /// Notes the answer of a call.
    pub(super) fn settle(&mut self, id: u64) {
        if !self.ids.is_empty() {
            self.ids.remove(&id);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.too_many && self.ids.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_answered_is_owed_no_more() {
        let mut owed = Owed::default();
        owed.add(7);
        owed.settle(8);
        assert!(!owed.is_empty());
        owed.settle(7);
        assert!(owed.is_empty());
    }

    #[test]
    fn of_too_many_it_is_known_that_there_are_some() {
        let mut owed = Owed::default();
        for id in 0..=MOST as u64 {
            owed.add(id);
        }
        for id in 0..=MOST as u64 {
            owed.settle(id);
        }
        assert!(owed.ids.capacity() == 0 && !owed.is_empty());
    }
}
