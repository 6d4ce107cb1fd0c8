//! The same node for the same key: rendezvous hashing.

use std::sync::Arc;

use crate::message::Text;
use crate::selector::{Candidates, Random, Strategy, Target};

/// The same node for every call with the same key: consistent hashing, by rendezvous (highest random weight).
///
/// Every process with the same nodes picks the same one. When a node comes or goes, only the keys move that it gets,
/// or had: with `n` nodes, one in `n`. Keys are spread evenly; calls are, as far as keys are called equally often.
///
/// The key is what [`Call::key`](crate::client::Call::key) says, or else the value of a header if this was given one.
/// A call without a key goes anywhere. A look at every node costs some nanoseconds for each.
#[derive(Clone, Debug, Default)]
pub struct ConsistentHash {
    header: Option<Text>,
}

impl ConsistentHash {
    /// By the key of the call alone.
    pub fn new() -> Self {
        ConsistentHash::default()
    }

    /// By the value of this header, for calls that say no key.
    #[must_use]
    pub fn by_header(mut self, name: impl Into<Text>) -> Self {
        self.header = Some(name.into());
        self
    }
}

impl Strategy for ConsistentHash {
    fn pick<'a>(&self, candidates: &Candidates<'a, '_>) -> Option<&'a Arc<Target>> {
        let Some(key) = candidates.key() else {
            return Random.pick(candidates);
        };
        let key = fnv1a(key.as_bytes());
        candidates
            .iter()
            .max_by_key(|target| (mix(key ^ target.id_hash()), target.id_hash()))
    }

    fn key_header(&self) -> Option<&str> {
        self.header.as_deref()
    }
}

/// A number that stands for some bytes, the same in every process and version: FNV-1a.
pub(super) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Spreads every bit over all of them: the finalizer of SplitMix64, whose numbers these are.
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::selector::target::tests::{target, targets};

    const KEYS: usize = 2_000;

    fn node_of<'a>(targets: &'a [Arc<Target>], key: &str) -> &'a str {
        let candidates = Candidates::new(targets).with_key(Some(key));
        let picked = ConsistentHash::new().pick(&candidates).unwrap();
        &picked.node().id
    }

    /// Fleets of 1 to 40 nodes with ids of every look, and as many keys for each. The seed is printed by a failure.
    fn fleets(check: impl Fn(u64, &mut fastrand::Rng, &[Arc<Target>], &[String])) {
        for seed in 0..40_u64 {
            let mut random = fastrand::Rng::with_seed(seed);
            let style = random.u8(..3);
            let node = |n: usize, random: &mut fastrand::Rng| match style {
                0 => n.to_string(),
                1 => format!("greeter-{n}"),
                _ => format!("greeter-{:032x}", random.u128(..)),
            };
            let nodes: Vec<_> = (0..=seed as usize)
                .map(|n| target(&node(n, &mut random), &[]))
                .collect();
            let keys: Vec<_> = (0..KEYS).map(|n| format!("user-{n}")).collect();
            check(seed, &mut random, &nodes, &keys);
        }
    }

    #[test]
    fn keys_are_spread_evenly() {
        fleets(|seed, _, nodes, keys| {
            let mut shares: HashMap<&str, usize> = HashMap::new();
            for key in keys {
                *shares.entry(node_of(nodes, key)).or_default() += 1;
            }
            let fair = KEYS as f64 / nodes.len() as f64;
            // Six standard deviations of a fair die.
            let slack = 6.0 * fair.sqrt();
            for node in nodes {
                let share = shares.get(node.node().id.as_str()).copied().unwrap_or_default() as f64;
                assert!(
                    (share - fair).abs() <= slack,
                    "seed {seed}: {share} instead of {fair}"
                );
            }
        });
    }

    #[test]
    fn only_the_keys_of_a_node_that_goes_move() {
        fleets(|seed, random, nodes, keys| {
            if nodes.len() < 2 {
                return;
            }
            let mut left = nodes.to_vec();
            let gone = left.swap_remove(random.usize(..nodes.len()));
            for key in keys {
                let before = node_of(nodes, key);
                if before != gone.node().id {
                    assert_eq!(node_of(&left, key), before, "seed {seed}");
                }
            }
        });
    }

    #[test]
    fn keys_move_only_to_a_node_that_comes() {
        fleets(|seed, _, nodes, keys| {
            let mut more = nodes.to_vec();
            more.insert(0, target("new", &[]));
            for key in keys {
                let after = node_of(&more, key);
                assert!(after == "new" || after == node_of(nodes, key), "seed {seed}");
            }
        });
    }

    #[test]
    fn every_process_picks_the_same_node() {
        let targets = targets(10);
        let picked: Vec<_> = ["ada", "grace", "mary", ""]
            .map(|key| node_of(&targets, key))
            .to_vec();
        // Whoever changes these moves every key of every fleet.
        assert_eq!(picked, ["1", "9", "1", "7"]);
    }

    #[test]
    fn a_call_without_a_key_goes_anywhere() {
        let targets = targets(2);
        let mut picked: Vec<_> = (0..100)
            .map(|_| ConsistentHash::new().pick(&Candidates::new(&targets)).unwrap())
            .map(|target| target.node().id.as_str())
            .collect();
        picked.sort_unstable();
        picked.dedup();
        assert_eq!(picked, ["0", "1"]);
    }
}
