//! The nodes that one call has tried.

use crate::address::Address;
use crate::selector::Target;

/// The nodes that one call has tried. One that came back at another address has not been.
///
/// Most calls try none twice, and then it is one word of their future.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tried(Option<Box<Entries>>);

#[derive(Clone, Debug, Default)]
struct Entries(Vec<Entry>);

#[derive(Clone, Debug)]
struct Entry {
    id: String,
    address: Address,
    /// Whether it may take the call another time.
    for_now: bool,
}

impl Tried {
    /// Notes one that cannot take the call.
    pub(crate) fn insert(&mut self, target: &Target) {
        self.note(target, false);
    }

    /// Notes one that may take the call another time.
    pub(crate) fn insert_for_now(&mut self, target: &Target) {
        self.note(target, true);
    }

    /// Forgets those that may take the call another time; whether there were any.
    pub(crate) fn forgive(&mut self) -> bool {
        let before = self.len();
        if let Some(entries) = &mut self.0 {
            entries.0.retain(|entry| !entry.for_now);
        }
        self.len() < before
    }

    /// The same, and this one.
    pub(crate) fn with(&self, target: &Target) -> Self {
        let mut tried = self.clone();
        tried.insert(target);
        tried
    }

    fn note(&mut self, target: &Target, for_now: bool) {
        if !self.contains(target) {
            self.0.get_or_insert_default().0.push(Entry {
                id: target.node().id.clone(),
                address: target.address().clone(),
                for_now,
            });
        }
    }

    pub(super) fn contains(&self, target: &Target) -> bool {
        let is_it = |entry: &Entry| entry.id == target.node().id && entry.address == *target.address();
        self.entries().iter().any(is_it)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.entries().len()
    }

    fn entries(&self) -> &[Entry] {
        self.0.as_deref().map_or(&[], |entries| &entries.0)
    }
}
