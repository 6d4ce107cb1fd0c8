//! Nodes by service and version, each with the moment at which it ages out.

use std::collections::{BTreeMap, BTreeSet};

use micro_core::registry::{Node, ServiceRecord};
use tokio::time::Instant;

/// Which nodes are there, and until when.
///
/// A registry keeps two: what it holds itself, and what it has seen of others.
#[derive(Debug, Default)]
pub(crate) struct Table {
    services: BTreeMap<(String, String), Held>,
    /// No lease ends before this. It may say too early, never too late.
    wake: Option<Instant>,
    nodes: usize,
}

/// One version of a service.
#[derive(Debug)]
struct Held {
    /// What was said of it last; the nodes are kept beside it.
    record: ServiceRecord,
    leases: BTreeMap<String, Lease>,
}

#[derive(Debug)]
struct Lease {
    node: Node,
    ends: Instant,
    /// Whether it was announced, not only found.
    announced: bool,
}

/// What an announcement brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sighted {
    /// Nodes that were not announced before.
    pub(crate) new: Vec<Node>,
    /// Nodes that were.
    pub(crate) known: Vec<Node>,
}

impl Table {
    /// Enters announced nodes, or replaces those with the same ids.
    pub(crate) fn announce(&mut self, record: &ServiceRecord, ends: Instant) -> Sighted {
        let mut sighted = Sighted::default();
        for node in self.enter(record, ends, true) {
            match node.1 {
                true => sighted.known.push(node.0),
                false => sighted.new.push(node.0),
            }
        }
        sighted
    }

    /// Enters nodes that were found. Their first announcement still counts as the first.
    pub(crate) fn find(&mut self, record: &ServiceRecord, ends: Instant) {
        self.enter(record, ends, false);
    }

    /// Takes nodes of a record out, and returns those that were there.
    pub(crate) fn remove(&mut self, record: &ServiceRecord) -> Vec<Node> {
        let key = (record.name.clone(), record.version.clone());
        let Some(held) = self.services.get_mut(&key) else {
            return Vec::new();
        };
        let removed: Vec<Node> = record
            .nodes
            .iter()
            .filter_map(|node| held.leases.remove(&node.id))
            .map(|lease| lease.node)
            .collect();
        if held.leases.is_empty() {
            self.services.remove(&key);
        }
        self.nodes -= removed.len();
        removed
    }

    /// Takes out what has aged out by `now`: records with name, version and nodes.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<ServiceRecord> {
        if self.wake.is_none_or(|wake| wake > now) {
            return Vec::new();
        }
        let mut aged = Vec::new();
        self.services.retain(|(name, version), held| {
            let nodes = held.take_aged(now);
            if !nodes.is_empty() {
                self.nodes -= nodes.len();
                let mut record = ServiceRecord::new(name, version);
                record.nodes = nodes;
                aged.push(record);
            }
            !held.leases.is_empty()
        });
        self.wake = self
            .services
            .values()
            .flat_map(|held| held.leases.values())
            .map(|lease| lease.ends)
            .min();
        aged
    }

    /// When [`expire`](Self::expire) has something to do at the earliest.
    pub(crate) fn wake(&self) -> Option<Instant> {
        self.wake
    }

    /// How many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.nodes
    }

    /// The records of the services that `wanted` names.
    pub(crate) fn records(&self, wanted: impl Fn(&str) -> bool) -> Vec<ServiceRecord> {
        self.services
            .iter()
            .filter(|((name, _), _)| wanted(name))
            .map(|(_, held)| held.to_record())
            .collect()
    }

    /// The nodes of the services that `wanted` names: service, version and id of each.
    pub(crate) fn node_ids(&self, wanted: impl Fn(&str) -> bool) -> BTreeSet<NodeKey> {
        self.services
            .iter()
            .filter(|((name, _), _)| wanted(name))
            .flat_map(|((name, version), held)| {
                held.leases
                    .keys()
                    .map(|id| (name.clone(), version.clone(), id.clone()))
            })
            .collect()
    }

    /// Enters nodes, and returns each with whether it had been announced before.
    fn enter(&mut self, record: &ServiceRecord, ends: Instant, announced: bool) -> Vec<(Node, bool)> {
        let key = (record.name.clone(), record.version.clone());
        let held = self.services.entry(key).or_insert_with(|| Held::of(record));
        held.describe(record);
        let before = held.leases.len();
        let entered = record
            .nodes
            .iter()
            .map(|node| (node.clone(), held.enter(node, ends, announced)))
            .collect();
        self.nodes += held.leases.len() - before;
        self.wake = Some(self.wake.map_or(ends, |wake| wake.min(ends)));
        entered
    }
}

/// Service, version and id of a node.
pub(crate) type NodeKey = (String, String, String);

impl Held {
    fn of(record: &ServiceRecord) -> Self {
        Held {
            record: ServiceRecord::new(&record.name, &record.version),
            leases: BTreeMap::new(),
        }
    }

    /// Takes over what a record says of the service, where it says something.
    fn describe(&mut self, record: &ServiceRecord) {
        if !record.endpoints.is_empty() {
            self.record.endpoints.clone_from(&record.endpoints);
        }
        if !record.metadata.is_empty() {
            self.record.metadata.clone_from(&record.metadata);
        }
    }

    /// Enters one node, and returns whether it had been announced before.
    fn enter(&mut self, node: &Node, ends: Instant, announced: bool) -> bool {
        let before = self.leases.get(&node.id).is_some_and(|lease| lease.announced);
        let lease = Lease {
            node: node.clone(),
            ends,
            announced: announced || before,
        };
        self.leases.insert(node.id.clone(), lease);
        before
    }

    fn take_aged(&mut self, now: Instant) -> Vec<Node> {
        let mut aged = Vec::new();
        self.leases.retain(|_, lease| {
            let stays = lease.ends > now;
            if !stays {
                aged.push(lease.node.clone());
            }
            stays
        });
        aged
    }

    fn to_record(&self) -> ServiceRecord {
        let mut record = self.record.clone();
        record.nodes = self.leases.values().map(|lease| lease.node.clone()).collect();
        record
    }
}

#[cfg(test)]
mod tests;
