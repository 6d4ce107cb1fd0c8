//! Lists of headers that are not needed any more, for the next messages.
//!
//! Batches are made and used up in turn: so an allocator gets many lists back at once, more than it keeps at hand, and
//! takes its long way for each of them, and then for each of the next batch.

use std::cell::RefCell;

use super::Text;

/// A list of headers.
pub(super) type List = Vec<(Text, Text)>;

/// How many lists a thread keeps: as many as a batch has, mostly.
const KEPT: usize = 64;

/// The shortest list that is made, and kept.
const SHORTEST: usize = 6;

/// The longest list that is kept.
const LONGEST: usize = 16;

thread_local! {
    static SPARE: RefCell<Vec<List>> = const { RefCell::new(Vec::new()) };
}

/// An empty list with room for so many.
pub(super) fn take(capacity: usize) -> List {
    if capacity == 0 || capacity > LONGEST {
        return Vec::with_capacity(capacity);
    }
    // A thread that ends has none any more.
    let spare = SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten();
    let mut list = spare.unwrap_or_else(|| Vec::with_capacity(capacity.max(SHORTEST)));
    list.reserve_exact(capacity);
    list
}

/// Keeps a list, if it is worth it.
pub(super) fn give_back(mut list: List) {
    if !(SHORTEST..=LONGEST).contains(&list.capacity()) {
        return;
    }
    // Before the others are looked at: nothing else happens meanwhile.
    list.clear();
    let keep = |spare: &RefCell<Vec<List>>| {
        let mut spare = spare.borrow_mut();
        if spare.len() < KEPT {
            spare.push(list);
        }
    };
    SPARE.try_with(keep).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spare() -> usize {
        SPARE.with_borrow(Vec::len)
    }

    #[test]
    fn a_list_is_used_again() {
        give_back(vec![("name".into(), "value".into()); 6]);
        let before = spare();
        let list = take(2);
        assert_eq!((list.len(), spare()), (0, before - 1));
        assert!(list.capacity() >= 6);
    }

    #[test]
    fn neither_many_nor_long_lists_are_kept() {
        give_back(Vec::with_capacity(LONGEST + 1));
        assert_eq!(spare(), 0);
        (0..2 * KEPT).for_each(|_| give_back(Vec::with_capacity(SHORTEST)));
        assert_eq!(spare(), KEPT);
    }

    #[test]
    fn there_is_room_for_as_many_as_are_asked_for() {
        for capacity in [0, 1, 9, 16, 17] {
            give_back(Vec::with_capacity(SHORTEST));
            assert!(take(capacity).capacity() >= capacity);
        }
    }
}
