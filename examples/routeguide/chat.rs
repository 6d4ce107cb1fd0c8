//! Notes that travellers left.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use micro::Status;

use super::RouteNote;

/// How many notes are kept of one place; above that, the oldest give way.
const NOTES: usize = 100;

/// How many places may have notes.
const PLACES: usize = 10_000;

/// The notes by place. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes(Arc<Mutex<ByPlace>>);

type ByPlace = HashMap<(i32, i32), Vec<RouteNote>>;

impl Notes {
    /// Keeps a note, and answers those that were left there before.
    pub(super) fn leave(&self, note: RouteNote) -> Result<Vec<RouteNote>, Status> {
        let Some(at) = note.location else {
            return Err(Status::invalid_argument("a note is left somewhere"));
        };
        let place = (at.latitude, at.longitude);
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() == PLACES && !places.contains_key(&place) {
            return Err(Status::resource_exhausted("notes are kept of no more places"));
        }
        let notes = places.entry(place).or_default();
        let earlier = notes.clone();
        if notes.len() == NOTES {
            notes.remove(0);
        }
        notes.push(note);
        Ok(earlier)
    }
}
