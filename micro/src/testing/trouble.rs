//! What a test lets go wrong between hosts.

use std::collections::BTreeSet;

use super::faults::Faults;
use super::name::Name;
use super::network::Traffic;
use super::testbed::{SEED, Testbed};

impl Testbed {
    /// From now on, this goes wrong with what sockets carry.
    pub fn socket_faults(&self, faults: &Faults) {
        self.set(Traffic::Sockets, faults);
    }

    /// From now on, this goes wrong with events.
    pub fn event_faults(&self, faults: &Faults) {
        self.set(Traffic::Events, faults);
    }

    /// From now on, this goes wrong with what the registry is asked and tells.
    pub fn registry_faults(&self, faults: &Faults) {
        self.set(Traffic::Registry, faults);
    }

    /// Shown by the test harness when the test fails.
    #[allow(clippy::print_stderr, reason = "it is how a test says what to do again")]
    fn set(&self, traffic: Traffic, faults: &Faults) {
        eprintln!(
            "testbed: {traffic:?}: {faults:?}; to draw the same again, set {SEED}={}",
            self.seed()
        );
        self.network.set_faults(traffic, faults);
    }

    /// Parts hosts: those of the one side and those of the other no longer reach each other.
    ///
    /// Sockets between them end with [`Unavailable`](crate::ErrorKind::Unavailable) at both ends, and dials fail so. Events of
    /// the other side are missed, and its nodes are not found; watchers hear nothing of them. Once that is
    /// [healed](Testbed::heal), subscriptions and watchers that missed something are told that they may have.
    ///
    /// # Panics
    /// For a host that was never asked for: a partition of nobody would prove nothing.
    pub fn partition(&self, one: &[&str], other: &[&str]) {
        self.network.part(self.known(one), self.known(other));
    }

    /// Parts one host from all others, and from those to come.
    ///
    /// # Panics
    /// As [`partition`](Testbed::partition).
    pub fn isolate(&self, host: &str) {
        for host in self.known(&[host]) {
            self.network.isolate(host);
        }
    }

    /// Ends all partitions. Sockets that broke stay broken; faults stay as they are set.
    pub fn heal(&self) {
        self.network.heal();
    }

    #[allow(clippy::panic, reason = "a mistake in a test fails it")]
    fn known(&self, names: &[&str]) -> BTreeSet<Name> {
        let hosts = self.hosts.lock();
        let known = |name: &str| match hosts.get_key_value(name) {
            Some((name, _)) => name.clone(),
            None => {
                let known: Vec<_> = hosts.keys().map(AsRef::as_ref).collect();
                panic!("no host {name:?}; known: {}", known.join(", "))
            }
        };
        names.iter().map(|name| known(name)).collect()
    }
}
