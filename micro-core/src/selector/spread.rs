//! Strategies that spread calls whatever they are about.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::selector::{Candidates, Strategy, Target};

/// Any node, each as likely as the next.
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

impl Strategy for Random {
    fn pick<'a>(&self, candidates: &Candidates<'a, '_>) -> Option<&'a Arc<Target>> {
        match candidates.len() {
            0 => None,
            1 => candidates.get(0),
            count => candidates.get(fastrand::usize(..count)),
        }
    }
}

/// One node after the other.
#[derive(Debug, Default)]
pub struct RoundRobin(AtomicUsize);

impl Strategy for RoundRobin {
    fn pick<'a>(&self, candidates: &Candidates<'a, '_>) -> Option<&'a Arc<Target>> {
        let turn = self.0.fetch_add(1, Ordering::Relaxed);
        candidates.get(turn.checked_rem(candidates.len())?)
    }
}

/// Of two nodes taken at random, the one with fewer calls of this process on their way.
///
/// Two choices spread load nearly as well as a look at all, and do not send everybody to the same idle node.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeastLoaded;

impl Strategy for LeastLoaded {
    fn pick<'a>(&self, candidates: &Candidates<'a, '_>) -> Option<&'a Arc<Target>> {
        let (a, b) = two(candidates)?;
        Some(if b.in_flight() < a.in_flight() { b } else { a })
    }
}

/// Two different nodes at random, or the only one twice: the power of two choices.
pub(super) fn two<'a>(candidates: &Candidates<'a, '_>) -> Option<(&'a Arc<Target>, &'a Arc<Target>)> {
    let count = candidates.len();
    if count < 2 {
        return candidates.get(0).map(|only| (only, only));
    }
    let first = fastrand::usize(..count);
    let step = fastrand::usize(1..count);
    Some((candidates.get(first)?, candidates.get((first + step) % count)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selector::target::tests::targets;

    #[test]
    fn round_robin_takes_turns() {
        let (strategy, targets) = (RoundRobin::default(), targets(2));
        let ids: Vec<_> = (0..4)
            .map(|_| strategy.pick(&Candidates::new(&targets)).unwrap())
            .map(|target| target.node().id.as_str())
            .collect();
        assert_eq!(ids, ["0", "1", "0", "1"]);
    }

    #[test]
    fn least_loaded_avoids_the_busy_node() {
        let targets = targets(2);
        let _busy = targets[0].enter();
        let candidates = Candidates::new(&targets);
        assert!((0..50).all(|_| LeastLoaded.pick(&candidates).unwrap().node().id == "1"));
    }
}
