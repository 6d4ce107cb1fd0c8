//! What all hosts of one testbed share: who reaches whom, what goes wrong on the way, and who said what.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Weak};

use micro_core::{Address, Node, ServiceRecord};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::faults::{Dice, Faults};
use super::link::Link;
use super::name::Name;

/// The three kinds of traffic that faults are set for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Traffic {
    Sockets,
    Events,
    Registry,
}

/// One network of hosts.
#[derive(Debug)]
pub(super) struct Network {
    seed: u64,
    state: Mutex<State>,
    /// Counts the changes of who reaches whom.
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    faults: [Faults; 3],
    isolated: BTreeSet<Name>,
    partitions: Vec<[BTreeSet<Name>; 2]>,
    /// Whether anybody was ever out of reach.
    ever_parted: bool,
    /// Which host announced a node, by its id, and which listens, by its address.
    nodes: HashMap<String, Name>,
    listeners: HashMap<Address, Name>,
    /// Sockets by the dialler's address.
    links: HashMap<Address, Weak<Link>>,
    /// How many streams of messages of one name there were.
    streams: BTreeMap<String, u64>,
}

impl Network {
    pub(super) fn new(seed: u64) -> Self {
        Network {
            seed,
            state: Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// Dice for one more stream of messages of this name.
    pub(super) fn dice(&self, stream: &str) -> Dice {
        let mut state = self.state.lock();
        let count = state.streams.entry(stream.to_owned()).or_default();
        *count += 1;
        Dice::new(self.seed, &format!("{stream} {count}"))
    }

    pub(super) fn set_faults(&self, traffic: Traffic, faults: &Faults) {
        self.state.lock().faults[traffic as usize] = faults.clone();
    }

    pub(super) fn faults(&self, traffic: Traffic) -> Faults {
        self.state.lock().faults[traffic as usize].clone()
    }

    /// Parts hosts, and breaks the sockets between them.
    pub(super) fn part(&self, one: BTreeSet<Name>, other: BTreeSet<Name>) {
        self.change(|state| state.partitions.push([one, other]));
    }

    /// Parts a host from all others, those to come too.
    pub(super) fn isolate(&self, host: Name) {
        self.change(|state| state.isolated.extend([host]));
    }

    /// Everybody reaches everybody again.
    pub(super) fn heal(&self) {
        self.change(|state| {
            state.isolated.clear();
            state.partitions.clear();
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let parted = {
            let mut state = self.state.lock();
            change(&mut state);
            state.ever_parted = true;
            state.parted_links()
        };
        for link in parted {
            link.cut("a partition parts the two hosts");
        }
        self.changes.send_modify(|count| *count += 1);
    }

    /// Tells of changes of who reaches whom.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(super) fn reaches(&self, one: Option<&str>, other: Option<&str>) -> bool {
        !self.state.lock().parts(one, other)
    }

    /// Whether events have to say where they come from.
    pub(super) fn was_ever_parted(&self) -> bool {
        self.state.lock().ever_parted
    }

    /// Says which host announces these nodes.
    pub(super) fn own(&self, host: &Name, record: &ServiceRecord) {
        let mut state = self.state.lock();
        for node in &record.nodes {
            state.nodes.insert(node.id.clone(), host.clone());
        }
    }

    /// Takes out the nodes that a host cannot hear of. Whether any was taken.
    pub(super) fn hide(&self, from: &str, record: &mut ServiceRecord) -> bool {
        let state = self.state.lock();
        let before = record.nodes.len();
        let reached = |node: &Node| !state.parts(Some(from), state.nodes.get(&node.id).map(AsRef::as_ref));
        record.nodes.retain(reached);
        record.nodes.len() < before
    }

    pub(super) fn listen(&self, host: &Name, address: &Address) {
        self.state.lock().listeners.insert(address.clone(), host.clone());
    }

    /// The host that listens there, if it is one of ours.
    pub(super) fn listener(&self, address: &Address) -> Option<Name> {
        self.state.lock().listeners.get(address).cloned()
    }

    /// What the two ends of a socket share, by the address of its dialler: whichever end asks first makes it.
    pub(super) fn link(&self, dialler: &Address) -> Arc<Link> {
        let mut state = self.state.lock();
        if let Some(link) = state.links.get(dialler).and_then(Weak::upgrade) {
            return link;
        }
        if state.links.len() == state.links.capacity() {
            state.links.retain(|_, link| link.strong_count() > 0);
        }
        let link = Arc::new(Link::default());
        state.links.insert(dialler.clone(), Arc::downgrade(&link));
        link
    }
}

impl State {
    /// Whether a partition lies between two hosts. A host that nobody knows is outside of all but isolation.
    fn parts(&self, one: Option<&str>, other: Option<&str>) -> bool {
        if one == other {
            return false;
        }
        let isolated = |host: Option<&str>| host.is_some_and(|host| self.isolated.contains(host));
        let among = |side: &BTreeSet<Name>, host: Option<&str>| host.is_some_and(|host| side.contains(host));
        isolated(one)
            || isolated(other)
            || self.partitions.iter().any(|[left, right]| {
                (among(left, one) && among(right, other)) || (among(left, other) && among(right, one))
            })
    }

    fn parted_links(&self) -> Vec<Arc<Link>> {
        let links = self.links.values().filter_map(Weak::upgrade);
        links
            .filter(|link| {
                let [dialler, listener] = link.hosts();
                self.parts(dialler.as_deref(), listener.as_deref())
            })
            .collect()
    }
}
