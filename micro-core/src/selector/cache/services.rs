//! What is known of each service: what the registry said, and what its watch saw since.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::Asking;
use crate::registry::{Change, ServiceRecord};
use crate::selector::roster::{Roster, Targets};

/// How long nodes are called that the registry does not confirm, after it did: as long as a node is believed to live
/// without a refresh. Longer, and a service that was taken away unheard would never be one that nobody serves.
const UNCONFIRMED: Duration = Duration::from_secs(90);

/// What is known of each service. Sorted, since a client calls few: each of its calls looks here.
#[derive(Default)]
pub(super) struct Services(pub(super) Mutex<BTreeMap<String, Entry>>);

#[derive(Default)]
pub(super) struct Entry {
    pub(super) roster: Option<Roster>,
    /// Since when the nodes are not confirmed: changes may be missing, or the registry has not found them. It is asked
    /// for every call then, and what it says counts; as long as it knows of none, these are better than none.
    unconfirmed: Option<Instant>,
    /// What the watch saw while the registry was being asked: the answer may be older. Empty otherwise.
    missed: Vec<Change>,
    /// Present while the registry is asked, so that many callers ask once.
    pub(super) asking: Option<Asking>,
}

impl Services {
    /// Takes in an answer of the registry, and then what the watch saw meanwhile.
    pub(super) fn answered(&self, service: &str, records: Vec<ServiceRecord>) -> Targets {
        let mut services = self.0.lock();
        let entry = services.entry(service.to_owned()).or_default();
        entry.asking = None;
        entry.unconfirmed = None;
        let roster = entry.roster.get_or_insert_default();
        roster.replace(records);
        for change in std::mem::take(&mut entry.missed) {
            roster.apply(change);
        }
        roster.open().clone()
    }

    /// The registry knows of no nodes, or cannot be asked: those that it knew of a moment ago, if they were not taken away.
    /// Whoever calls them learns whether they are there, and not that there is no such service.
    pub(super) fn unanswered(&self, service: &str) -> Option<Targets> {
        let mut services = self.0.lock();
        if let Some(entry) = services.get_mut(service)
            && entry.doubt()
        {
            entry.asking = None;
            entry.missed.clear();
            return Some(entry.roster.as_mut()?.open().clone());
        }
        services.remove(service);
        None
    }

    /// Changes may be missing: everything is to be asked anew.
    pub(super) fn interrupt(&self) {
        self.0.lock().retain(|_, entry| {
            entry.asking = None;
            entry.missed.clear();
            entry.doubt()
        });
    }

    /// Applies a change to a service that is known; one that nobody has asked for stays unknown.
    pub(super) fn apply(&self, change: Change) {
        let mut services = self.0.lock();
        if let Some(entry) = services.get_mut(&change.service.name) {
            if entry.asking.is_some() {
                entry.missed.push(change.clone());
            }
            if let Some(roster) = &mut entry.roster {
                roster.apply(change);
            }
        }
    }
}

impl Entry {
    /// The nodes, unless the registry is to be asked first.
    pub(super) fn confirmed(&mut self) -> Option<&mut Roster> {
        match self.unconfirmed {
            None => self.roster.as_mut(),
            Some(_) => None,
        }
    }

    /// Notes that the nodes are not confirmed; whether they are worth a call all the same.
    fn doubt(&mut self) -> bool {
        let since = *self.unconfirmed.get_or_insert_with(Instant::now);
        let is_empty = self.roster.as_ref().is_none_or(Roster::is_empty);
        !is_empty && since.elapsed() < UNCONFIRMED
    }
}
