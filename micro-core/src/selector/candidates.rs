//! What a strategy picks from.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::selector::Target;

/// How many nodes a [`Subset`] holds without an allocation.
const INLINE: usize = 32;

/// The nodes that a call may go to, in the order in which the registry told of them, and the key of the call.
///
/// Cheap to copy. Positions are `0..len()`.
#[derive(Clone, Copy, Debug)]
pub struct Candidates<'a, 'c> {
    targets: &'a [Arc<Target>],
    /// Which of them are left; `None`: all.
    left: Option<&'c [u32]>,
    key: Option<&'c str>,
}

impl<'a, 'c> Candidates<'a, 'c> {
    /// All of these.
    pub fn new(targets: &'a [Arc<Target>]) -> Self {
        Candidates {
            targets,
            left: None,
            key: None,
        }
    }

    /// Sets the key of the call.
    #[must_use]
    pub fn with_key(mut self, key: Option<&'c str>) -> Self {
        self.key = key;
        self
    }

    /// What the call is about, such as a user or a tenant: given on the call, or by one of its headers.
    pub fn key(&self) -> Option<&'c str> {
        self.key
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.left.map_or(self.targets.len(), <[u32]>::len)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The one at this position.
    pub fn get(&self, position: usize) -> Option<&'a Arc<Target>> {
        match self.left {
            None => self.targets.get(position),
            Some(left) => self.targets.get(*left.get(position)? as usize),
        }
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &'a Arc<Target>> + use<'a, 'c> {
        let candidates = *self;
        (0..self.len()).filter_map(move |position| candidates.get(position))
    }

    /// Those that are wanted. Without an allocation up to 32.
    pub fn filter(&self, wanted: impl Fn(&Target) -> bool) -> Subset<'a, 'c> {
        let index = |position: usize| match self.left {
            None => Some(position as u32),
            Some(left) => left.get(position).copied(),
        };
        let is_wanted = |position: &usize| self.get(*position).is_some_and(|target| wanted(target));
        Subset {
            targets: self.targets,
            left: (0..self.len()).filter(is_wanted).filter_map(index).collect(),
            key: self.key,
        }
    }
}

/// Some of the [`Candidates`].
#[derive(Debug)]
pub struct Subset<'a, 'c> {
    targets: &'a [Arc<Target>],
    left: SmallVec<[u32; INLINE]>,
    key: Option<&'c str>,
}

impl<'a> Subset<'a, '_> {
    /// As candidates.
    pub fn candidates(&self) -> Candidates<'a, '_> {
        Candidates {
            targets: self.targets,
            left: Some(&self.left),
            key: self.key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selector::target::tests::targets;

    #[test]
    fn a_subset_of_a_subset_holds_what_both_want() {
        let targets = targets(100);
        let number = |target: &Target| target.node().id.parse::<usize>().unwrap();
        let even = Candidates::new(&targets)
            .with_key(Some("key"))
            .filter(|target| number(target) % 2 == 0);
        let sixths = even.candidates().filter(|target| number(target) % 3 == 0);
        let sixths = sixths.candidates();
        let numbers: Vec<_> = sixths.iter().map(|target| number(target)).collect();
        assert_eq!(numbers, (0..100).step_by(6).collect::<Vec<_>>());
        assert_eq!((sixths.len(), sixths.key()), (17, Some("key")));
        assert!(sixths.get(17).is_none());
    }

    #[test]
    fn none_are_left_when_none_is_wanted() {
        let targets = targets(3);
        assert!(
            Candidates::new(&targets)
                .filter(|_| false)
                .candidates()
                .is_empty()
        );
    }
}
