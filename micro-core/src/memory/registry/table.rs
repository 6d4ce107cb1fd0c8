//! Who serves what, in one world: the table, and those who watch it.

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::queue;
use crate::registry::{Action, Change, Node, ServiceRecord};

/// The nodes of one world, by service and version.
#[derive(Debug, Default)]
pub(super) struct Table {
    services: BTreeMap<(String, String), Service>,
    watches: BTreeMap<u64, Watch>,
    last_id: u64,
}

/// One version of a service.
#[derive(Debug)]
struct Service {
    /// What was said of it last; its nodes are kept beside it.
    record: ServiceRecord,
    nodes: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    node: Node,
    owner: u64,
    expires: Option<Instant>,
}

#[derive(Debug)]
struct Watch {
    service: Option<String>,
    changes: queue::Sender<Change>,
}

impl Table {
    /// An id for an instance or a watch.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Enters the nodes of a record, or replaces those with the same ids.
    pub(super) fn register(&mut self, owner: u64, record: &ServiceRecord, expires: Option<Instant>) {
        let key = (record.name.clone(), record.version.clone());
        let service = self.services.entry(key).or_insert_with(|| Service {
            record: ServiceRecord::new(&record.name, &record.version),
            nodes: BTreeMap::new(),
        });
        service.record.merge(without_nodes(record));
        let (known, new) = record
            .nodes
            .iter()
            .cloned()
            .partition::<Vec<_>, _>(|node| service.nodes.contains_key(&node.id));
        for node in &record.nodes {
            let (id, node) = (node.id.clone(), node.clone());
            service.nodes.insert(id, Entry { node, owner, expires });
        }
        self.tell(Action::Create, record, new);
        self.tell(Action::Update, record, known);
    }

    /// Takes back those nodes of a record that belong to this owner.
    pub(super) fn deregister(&mut self, owner: u64, record: &ServiceRecord) {
        self.remove(|service, entry| {
            entry.owner == owner
                && (&service.name, &service.version) == (&record.name, &record.version)
                && record.nodes.iter().any(|node| node.id == entry.node.id)
        });
    }

    /// Takes back everything that belongs to this owner.
    pub(super) fn disown(&mut self, owner: u64) {
        self.remove(|_, entry| entry.owner == owner);
    }

    /// Takes out what has aged out.
    pub(super) fn age(&mut self, now: Instant) {
        self.remove(|_, entry| entry.expires.is_some_and(|expires| expires <= now));
    }

    /// When the next node of this service, or of any, ages out.
    pub(super) fn next_expiry(&self, service: Option<&str>) -> Option<Instant> {
        self.services
            .values()
            .filter(|known| service.is_none_or(|name| known.record.name == name))
            .flat_map(|known| known.nodes.values())
            .filter_map(|entry| entry.expires)
            .min()
    }

    /// Every version of a service.
    pub(super) fn get(&self, name: &str) -> Vec<ServiceRecord> {
        self.services
            .values()
            .filter(|service| service.record.name == name)
            .map(Service::to_record)
            .collect()
    }

    /// Every version of every service.
    pub(super) fn list(&self) -> Vec<ServiceRecord> {
        self.services.values().map(Service::to_record).collect()
    }

    /// Tells `changes` of what happens to this service, or to all, from now on.
    pub(super) fn watch(&mut self, service: Option<String>, changes: queue::Sender<Change>) -> u64 {
        let id = self.next_id();
        self.watches.insert(id, Watch { service, changes });
        id
    }

    /// Ends a watch.
    pub(super) fn unwatch(&mut self, id: u64) {
        self.watches.remove(&id);
    }

    fn remove(&mut self, gone: impl Fn(&ServiceRecord, &Entry) -> bool) {
        let mut removed = Vec::new();
        self.services.retain(|_, service| {
            let nodes = service.take_out(&gone);
            if !nodes.is_empty() {
                removed.push((service.record.clone(), nodes));
            }
            !service.nodes.is_empty()
        });
        for (record, nodes) in removed {
            self.tell(Action::Delete, &record, nodes);
        }
    }

    fn tell(&self, action: Action, record: &ServiceRecord, nodes: Vec<Node>) {
        if nodes.is_empty() {
            return;
        }
        let mut record = without_nodes(record);
        record.nodes = nodes;
        let change = Change::new(action, record);
        for watch in self.watches.values() {
            if watch
                .service
                .as_ref()
                .is_none_or(|name| *name == change.service.name)
            {
                watch.changes.push(change.clone());
            }
        }
    }
}

impl Service {
    fn to_record(&self) -> ServiceRecord {
        let mut record = self.record.clone();
        record.nodes = self.nodes.values().map(|entry| entry.node.clone()).collect();
        record
    }

    fn take_out(&mut self, gone: impl Fn(&ServiceRecord, &Entry) -> bool) -> Vec<Node> {
        let mut removed = Vec::new();
        self.nodes.retain(|_, entry| {
            let stays = !gone(&self.record, entry);
            if !stays {
                removed.push(entry.node.clone());
            }
            stays
        });
        removed
    }
}

fn without_nodes(record: &ServiceRecord) -> ServiceRecord {
    ServiceRecord {
        nodes: Vec::new(),
        ..record.clone()
    }
}
