//! The items that wait to be read, first come first.

use std::collections::VecDeque;

use super::Item;

/// Most readers take each item before the next comes: so one of them has a place that costs no allocation.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    first: Option<Item>,
    /// Only while there is a first.
    more: VecDeque<Item>,
}

impl Waiting {
    pub(super) fn push(&mut self, item: Item) {
        match self.first {
            None => self.first = Some(item),
            Some(_) => self.more.push_back(item),
        }
    }

    pub(super) fn pop(&mut self) -> Option<Item> {
        let item = self.first.take()?;
        self.first = self.more.pop_front();
        if self.first.is_none() {
            // An end that is idle keeps no room.
            self.more = VecDeque::new();
        }
        Some(item)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// How many messages they are.
    pub(super) fn messages(&self) -> u64 {
        let items = self.first.iter().chain(&self.more);
        items.map(|item| item.messages).sum()
    }

    /// How many more have room already.
    #[cfg(test)]
    pub(super) fn room(&self) -> usize {
        self.more.capacity()
    }
}
