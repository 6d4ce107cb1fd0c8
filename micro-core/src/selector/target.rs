//! A node that can be called, and what is known of how calls to it go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::address::Address;
use crate::error::Result;
use crate::registry::Node;
use crate::selector::ewma::Ewma;
use crate::selector::hash::fnv1a;

/// A node that can be called, and what this process knows of how its calls to it go.
#[derive(Debug)]
pub struct Target {
    node: Node,
    version: String,
    address: Address,
    id_hash: u64,
    stats: Arc<Stats>,
}

/// What is counted and measured of a node. It stays when the registry says something else of the node.
#[derive(Debug, Default)]
struct Stats {
    in_flight: AtomicUsize,
    latency: Mutex<Ewma>,
    /// Failures in a row, and [`NOT_IN`] while it is set aside or on trial: so one look tells that all is well.
    trouble: AtomicU32,
    on_trial: AtomicBool,
    /// How many times its standing has changed.
    era: AtomicU32,
}

/// More failures than any limit: of a node that is set aside, the first one counts.
const NOT_IN: u32 = 1 << 31;

impl Target {
    /// A node of the registry.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when its address cannot be dialled.
    pub fn new(node: Node) -> Result<Self> {
        let address = Address::new(node.address.as_str())?;
        Ok(Target {
            id_hash: fnv1a(node.id.as_bytes()),
            node,
            version: String::new(),
            address,
            stats: Arc::default(),
        })
    }

    /// Says of which version of its service it is.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Keeps what is counted and measured of a node that the registry now tells otherwise.
    #[must_use]
    pub(super) fn in_place_of(mut self, before: &Target) -> Self {
        self.stats = before.stats.clone();
        self
    }

    /// The version of its service; empty when nobody said.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The record of the registry.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Where it is dialled.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What the node says of itself by this key.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.node.metadata.get(key).map(String::as_str)
    }

    /// How many calls of this process are on their way to it.
    pub fn in_flight(&self) -> usize {
        self.stats.in_flight.load(Ordering::Relaxed)
    }

    /// How long its answers take lately: the peak EWMA of the unary calls that it answered, as
    /// [`PeakEwma`](crate::selector::PeakEwma) has it. `None` before the first one, or when nobody
    /// [measures](crate::selector::Strategy::measures).
    pub fn latency(&self) -> Option<Duration> {
        self.latency_at(Instant::now())
    }

    pub(super) fn latency_at(&self, now: Instant) -> Option<Duration> {
        self.stats.latency.lock().at(now)
    }

    /// Takes in that an answer took from `begun` until now.
    pub(crate) fn observe_since(&self, begun: Instant) {
        let now = Instant::now();
        self.observe_at(now, now - begun);
    }

    fn observe_at(&self, now: Instant, took: Duration) {
        self.stats.latency.lock().observe(now, took);
    }

    /// Takes in how long an answer took.
    #[cfg(test)]
    pub(crate) fn observe(&self, took: Duration) {
        self.observe_at(Instant::now(), took);
    }

    /// Whether whoever picks it first tries it.
    pub(super) fn is_on_trial(&self) -> bool {
        self.stats.trouble.load(Ordering::Relaxed) > 0 && self.stats.on_trial.load(Ordering::Relaxed)
    }

    /// Whether both are one node, by what is counted of it.
    pub(super) fn is_same(&self, other: &Target) -> bool {
        Arc::ptr_eq(&self.stats, &other.stats)
    }

    /// Takes in another standing. What ends from now on, and began before, is of no account.
    pub(super) fn change(&self, is_in: bool, on_trial: bool) {
        let trouble = if is_in { 0 } else { NOT_IN };
        self.stats.on_trial.store(on_trial, Ordering::Relaxed);
        self.stats.trouble.store(trouble, Ordering::Relaxed);
        self.stats.era.fetch_add(1, Ordering::Relaxed);
    }

    /// Forgets its failures.
    pub(super) fn is_well_again(&self) {
        self.stats.trouble.store(0, Ordering::Relaxed);
    }

    /// A number that stands for its id, the same in every process.
    pub(super) fn id_hash(&self) -> u64 {
        self.id_hash
    }

    /// Counts one more call until the returned value is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> Entered {
        self.stats.in_flight.fetch_add(1, Ordering::Relaxed);
        Entered(self.clone())
    }
}

/// A node that was picked for an attempt, as it was then.
#[derive(Clone, Debug)]
pub(crate) struct Pick {
    target: Arc<Target>,
    era: u32,
}

impl Pick {
    pub(super) fn new(target: Arc<Target>) -> Self {
        let era = target.stats.era.load(Ordering::Relaxed);
        Pick { target, era }
    }

    /// Whether its standing is what it was.
    pub(super) fn is_current(&self) -> bool {
        self.target.stats.era.load(Ordering::Relaxed) == self.era
    }

    /// Whether nothing speaks against it.
    pub(super) fn is_well(&self) -> bool {
        self.target.stats.trouble.load(Ordering::Relaxed) == 0
    }

    /// Counts one more failure in a row, and says how many they are.
    pub(super) fn fail(&self) -> u32 {
        self.target.stats.trouble.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl std::ops::Deref for Pick {
    type Target = Arc<Target>;

    fn deref(&self) -> &Arc<Target> {
        &self.target
    }
}

/// One call on its way to a node.
#[derive(Debug)]
pub(crate) struct Entered(Arc<Target>);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.stats.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Nodes whose ids are their numbers.
    pub(crate) fn targets(count: usize) -> Vec<Arc<Target>> {
        (0..count).map(|n| target(&n.to_string(), &[])).collect()
    }

    /// A node that says this of itself.
    pub(crate) fn target(id: &str, labels: &[(&str, &str)]) -> Arc<Target> {
        let node = Node::new(id, format!("address-{id}"));
        let node = labels
            .iter()
            .fold(node, |node, (key, value)| node.with_metadata(*key, *value));
        Arc::new(Target::new(node).unwrap())
    }

    #[test]
    fn what_is_known_of_a_node_stays_when_its_record_changes() {
        let before = target("a", &[]);
        let _entered = before.enter();
        before.observe(Duration::from_millis(3));
        let node = before.node().clone().with_metadata("zone", "b");
        let after = Target::new(node).unwrap().in_place_of(&before);
        assert_eq!(after.in_flight(), 1);
        assert!(after.latency().is_some());
    }
}
