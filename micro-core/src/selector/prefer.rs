//! Some nodes rather than others.

use std::sync::Arc;

use crate::message::Text;
use crate::selector::{Candidates, Strategy, Target};

/// Nodes of one kind as long as there are any, and else the others; among them, as another strategy picks.
///
/// A node that is set aside does not count, so that a zone that fails hands its calls on. A call that may go to nodes of
/// one kind only says so itself: [`Call::label`](crate::client::Call::label),
/// [`Call::version`](crate::client::Call::version).
///
/// ```
/// use std::sync::Arc;
/// use micro_core::selector::{PeakEwma, Prefer};
/// let nearby = Prefer::zone("eu-1", Arc::new(PeakEwma));
/// # let _ = nearby;
/// ```
#[derive(Clone, Debug)]
pub struct Prefer {
    what: What,
    among: Arc<dyn Strategy>,
}

#[derive(Clone, Debug)]
enum What {
    Label(Text, Text),
    Version(Text),
}

/// The label that says where a node runs: `--server_metadata=zone=eu-1`.
const ZONE: &str = "zone";

impl Prefer {
    /// Nodes whose metadata says this.
    pub fn label(key: impl Into<Text>, value: impl Into<Text>, among: Arc<dyn Strategy>) -> Self {
        Prefer {
            what: What::Label(key.into(), value.into()),
            among,
        }
    }

    /// Nodes of this zone, by the label `zone`.
    pub fn zone(zone: impl Into<Text>, among: Arc<dyn Strategy>) -> Self {
        Prefer::label(ZONE, zone, among)
    }

    /// Nodes of this version.
    pub fn version(version: impl Into<Text>, among: Arc<dyn Strategy>) -> Self {
        Prefer {
            what: What::Version(version.into()),
            among,
        }
    }
}

impl Strategy for Prefer {
    fn pick<'a>(&self, candidates: &Candidates<'a, '_>) -> Option<&'a Arc<Target>> {
        let preferred = candidates.filter(|target| self.what.is(target));
        match preferred.candidates() {
            preferred if preferred.is_empty() => self.among.pick(candidates),
            preferred => self.among.pick(&preferred),
        }
    }

    fn measures(&self) -> bool {
        self.among.measures()
    }

    fn key_header(&self) -> Option<&str> {
        self.among.key_header()
    }
}

impl What {
    fn is(&self, target: &Target) -> bool {
        match self {
            What::Label(key, value) => target.label(key) == Some(value.as_str()),
            What::Version(version) => target.version() == version.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selector::RoundRobin;
    use crate::selector::target::tests::target;

    fn picked(strategy: &Prefer, targets: &[Arc<Target>]) -> String {
        let picks = (0..6).map(|_| strategy.pick(&Candidates::new(targets)).unwrap());
        let mut ids: Vec<_> = picks.map(|target| target.node().id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.concat()
    }

    #[test]
    fn the_preferred_are_picked_while_there_are_any() {
        let strategy = Prefer::zone("a", Arc::new(RoundRobin::default()));
        let mut targets = vec![
            target("1", &[("zone", "a")]),
            target("2", &[("zone", "b")]),
            target("3", &[("zone", "a")]),
            target("4", &[]),
        ];
        assert_eq!(picked(&strategy, &targets), "13");
        targets.retain(|target| target.label("zone") != Some("a"));
        assert_eq!(picked(&strategy, &targets), "24");
        assert!(strategy.pick(&Candidates::new(&[])).is_none());
    }

    #[test]
    fn of_two_preferences_the_first_weighs_more() {
        let inner = Prefer::label("rack", "1", Arc::new(RoundRobin::default()));
        let strategy = Prefer::zone("a", Arc::new(inner));
        let mut targets = vec![
            target("1", &[("zone", "a"), ("rack", "1")]),
            target("2", &[("zone", "a"), ("rack", "2")]),
            target("3", &[("zone", "b"), ("rack", "1")]),
            target("4", &[("zone", "b"), ("rack", "2")]),
        ];
        for expected in ["1", "2", "3", "4"] {
            assert_eq!(picked(&strategy, &targets), expected);
            targets.remove(0);
        }
    }
}
