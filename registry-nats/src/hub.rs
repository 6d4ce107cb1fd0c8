//! What a registry has seen of others, and those of its process who want to know.

use std::collections::BTreeSet;
use std::time::Duration;

use micro_core::queue::{self, Pushed};
use micro_core::registry::{Action, Change, Node, ServiceRecord, WatchOptions};
use micro_core::{Error, Result};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::due::until_due;
use crate::table::{NodeKey, Table};
use crate::ttl;
use crate::wire::Query;

/// How many nodes of others are remembered at most. Those above are still told to watchers.
const MAX_NODES: usize = 100_000;

/// Takes in every change that is announced, and hands it to every watcher whom it concerns.
#[derive(Debug)]
pub(crate) struct Hub {
    node_ttl: Duration,
    state: Mutex<State>,
    /// Told when nodes came in: until then there may have been none that ages.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    seen: Table,
    watchers: Vec<WatcherEntry>,
    complete: Completeness,
}

#[derive(Debug)]
struct WatcherEntry {
    service: Option<String>,
    changes: queue::Sender<Result<Change>>,
}

/// Which nodes are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) nodes: BTreeSet<NodeKey>,
    /// Whether these are all.
    pub(crate) all: bool,
}

/// Of which services every node is in the table: those that were asked for while announcements came in gaplessly.
#[derive(Debug, Default)]
struct Completeness {
    /// Moves whenever announcements may have been missed.
    epoch: u64,
    all: bool,
    services: BTreeSet<String>,
}

impl Hub {
    pub(crate) fn new(node_ttl: Duration) -> Self {
        Hub {
            node_ttl,
            state: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Adds a watcher.
    pub(crate) fn follow(&self, options: WatchOptions) -> queue::Receiver<Result<Change>> {
        let (changes, receiver) = queue::bounded(options.capacity);
        let mut state = self.state.lock();
        state.watchers.retain(|watcher| !watcher.changes.is_closed());
        state.watchers.push(WatcherEntry {
            service: options.service,
            changes,
        });
        receiver
    }

    /// Takes in an announced change.
    pub(crate) fn take(&self, change: Change) {
        let ends = self.ends(&change.service);
        let mut state = self.state.lock();
        if change.action == Action::Delete {
            state.seen.remove(&change.service);
            return state.tell(&change);
        }
        if state.seen.len() >= MAX_NODES {
            return state.tell(&change);
        }
        let sighted = state.seen.announce(&change.service, ends);
        self.changed.notify_one();
        state.tell_nodes(Action::Create, &change.service, sighted.new);
        state.tell_nodes(Action::Update, &change.service, sighted.known);
    }

    fn ends(&self, record: &ServiceRecord) -> Instant {
        Instant::now() + ttl::of(record, self.node_ttl)
    }

    /// Announcements may be missing: the watchers are told by an error, and nothing counts as complete.
    pub(crate) fn interrupt(&self, error: impl Fn() -> Error) {
        let mut state = self.state.lock();
        state.complete = Completeness {
            epoch: state.complete.epoch + 1,
            ..Completeness::default()
        };
        state
            .watchers
            .retain(|watcher| watcher.changes.push(Err(error().with_operation("watch"))) != Pushed::Closed);
    }

    /// Nothing more will come: the watchers end.
    pub(crate) fn end(&self) {
        self.state.lock().watchers.clear();
    }

    /// Tells the watchers of nodes that have been silent for too long.
    pub(crate) fn expire(&self, now: Instant) {
        let mut state = self.state.lock();
        for record in state.seen.expire(now) {
            tracing::debug!(
                service = record.name,
                nodes = record.nodes.len(),
                "nodes aged out"
            );
            state.tell(&Change::new(Action::Delete, record));
        }
    }

    /// Waits until a node may have aged out. One task does.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub(crate) async fn until_due(&self) {
        until_due(&self.changed, || self.state.lock().seen.wake()).await;
    }

    /// To be given to [`found`](Self::found) with what a query finds that begins now.
    pub(crate) fn epoch(&self) -> u64 {
        self.state.lock().complete.epoch
    }

    /// What is known of the nodes that a query is about.
    pub(crate) fn known(&self, query: &Query) -> Known {
        let state = self.state.lock();
        let nodes = state.seen.node_ids(|name| query.covers(name));
        Known {
            all: !nodes.is_empty() && state.complete.covers(query),
            nodes,
        }
    }

    /// Remembers what a query found; `epoch` is of its beginning when it found all there is.
    pub(crate) fn found(&self, query: &Query, records: &[ServiceRecord], epoch: Option<u64>) {
        let mut state = self.state.lock();
        if state.seen.len() >= MAX_NODES {
            return;
        }
        for record in records {
            state.seen.find(record, self.ends(record));
        }
        if epoch == Some(state.complete.epoch) {
            state.complete.add(query);
        }
        self.changed.notify_one();
    }
}

impl State {
    fn tell_nodes(&mut self, action: Action, record: &ServiceRecord, nodes: Vec<Node>) {
        if nodes.is_empty() {
            return;
        }
        let service = ServiceRecord {
            nodes,
            ..record.clone()
        };
        self.tell(&Change::new(action, service));
    }

    fn tell(&mut self, change: &Change) {
        self.watchers.retain(|watcher| {
            let wanted = watcher
                .service
                .as_ref()
                .is_none_or(|name| *name == change.service.name);
            !wanted || watcher.changes.push(Ok(change.clone())) != Pushed::Closed
        });
    }
}

impl Completeness {
    fn covers(&self, query: &Query) -> bool {
        self.all || matches!(query, Query::Get(name) if self.services.contains(name))
    }

    fn add(&mut self, query: &Query) {
        match query {
            Query::List => self.all = true,
            Query::Get(name) => drop(self.services.insert(name.clone())),
        }
    }
}

#[cfg(test)]
mod tests;
