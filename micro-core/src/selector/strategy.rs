//! How one node is picked among several.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, ErrorKind, Result};
use crate::selector::Target;

/// Picks one of several nodes. Called for every call, so it neither waits nor allocates.
pub trait Strategy: fmt::Debug + Send + Sync + 'static {
    /// One of the targets; `None` only when there are none.
    fn pick<'a>(&self, targets: &'a [Arc<Target>]) -> Option<&'a Arc<Target>>;
}

/// Any node, each as likely as the next.
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

impl Strategy for Random {
    fn pick<'a>(&self, targets: &'a [Arc<Target>]) -> Option<&'a Arc<Target>> {
        match targets.len() {
            0 => None,
            1 => targets.first(),
            count => targets.get(fastrand::usize(..count)),
        }
    }
}

/// One node after the other.
#[derive(Debug, Default)]
pub struct RoundRobin(AtomicUsize);

impl Strategy for RoundRobin {
    fn pick<'a>(&self, targets: &'a [Arc<Target>]) -> Option<&'a Arc<Target>> {
        let turn = self.0.fetch_add(1, Ordering::Relaxed);
        targets.get(turn.checked_rem(targets.len())?)
    }
}

/// Of two nodes taken at random, the one with fewer calls of this process on their way.
///
/// Two choices spread load nearly as well as a look at all, and do not send everybody to the same idle node.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeastLoaded;

impl Strategy for LeastLoaded {
    fn pick<'a>(&self, targets: &'a [Arc<Target>]) -> Option<&'a Arc<Target>> {
        if targets.len() < 2 {
            return targets.first();
        }
        let first = fastrand::usize(..targets.len());
        let step = fastrand::usize(1..targets.len());
        let (a, b) = (targets.get(first)?, targets.get((first + step) % targets.len())?);
        Some(if b.in_flight() < a.in_flight() { b } else { a })
    }
}

/// The names by which a flag chooses a strategy.
pub fn strategies() -> [&'static str; 3] {
    ["random", "round_robin", "least_loaded"]
}

/// The strategy of that name; go-micro's spelling `roundrobin` and hyphens are accepted.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] that lists the known names.
pub fn strategy(name: &str) -> Result<Arc<dyn Strategy>> {
    match name.replace('-', "_").as_str() {
        "random" => Ok(Arc::new(Random)),
        "round_robin" | "roundrobin" => Ok(Arc::new(RoundRobin::default())),
        "least_loaded" => Ok(Arc::new(LeastLoaded)),
        _ => Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("unknown selector {name:?}; known: {}", strategies().join(", ")),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Node;

    fn targets(count: usize) -> Vec<Arc<Target>> {
        let node = |n: usize| Node::new(n.to_string(), format!("address-{n}"));
        (0..count)
            .map(|n| Arc::new(Target::new(node(n)).unwrap()))
            .collect()
    }

    #[test]
    fn every_strategy_picks_every_node_and_none_of_none() {
        for name in strategies() {
            let strategy = strategy(name).unwrap();
            assert!(strategy.pick(&[]).is_none(), "{name}");
            let targets = targets(3);
            let picked: std::collections::HashSet<_> = (0..300)
                .map(|_| strategy.pick(&targets).unwrap().node().id.clone())
                .collect();
            assert_eq!(picked.len(), 3, "{name}");
        }
    }

    #[test]
    fn round_robin_takes_turns() {
        let (strategy, targets) = (RoundRobin::default(), targets(2));
        let ids: Vec<_> = (0..4)
            .map(|_| strategy.pick(&targets).unwrap().node().id.as_str())
            .collect();
        assert_eq!(ids, ["0", "1", "0", "1"]);
    }

    #[test]
    fn least_loaded_avoids_the_busy_node() {
        let targets = targets(2);
        let _busy = targets[0].enter();
        assert!((0..50).all(|_| LeastLoaded.pick(&targets).unwrap().node().id == "1"));
    }

    #[test]
    fn an_unknown_strategy_lists_the_known() {
        let error = strategy("best").unwrap_err().to_string();
        assert!(error.contains("least_loaded"), "{error}");
    }
}
