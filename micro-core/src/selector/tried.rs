//! The nodes that one call has tried.

use crate::address::Address;
use crate::selector::Target;

/// The nodes that one call has tried. One that came back at another address has not been.
#[derive(Debug, Default)]
pub(crate) struct Tried(Vec<(String, Address)>);

impl Tried {
    pub(crate) fn insert(&mut self, target: &Target) {
        if !self.contains(target) {
            self.0.push((target.node().id.clone(), target.address().clone()));
        }
    }

    pub(super) fn contains(&self, target: &Target) -> bool {
        let is_it =
            |(id, address): &(String, Address)| *id == target.node().id && address == target.address();
        self.0.iter().any(is_it)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
