//! The sockets of a listener.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::end::End;

/// The sockets of one listener, by the reply subject of their dialler.
#[derive(Default)]
pub(crate) struct Table(Mutex<HashMap<String, Arc<End>>>);

/// A socket's row in the table, for as long as the socket is held.
pub(crate) struct Row {
    table: Arc<Table>,
    end: Arc<End>,
}

impl Table {
    pub(super) fn get(&self, reply: &str) -> Option<Arc<End>> {
        self.0.lock().get(reply).cloned()
    }

    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }

    pub(super) fn insert(self: &Arc<Self>, end: &Arc<End>) -> Row {
        let before = self.0.lock().insert(end.remote.to_string(), end.clone());
        // Dropped after the lock.
        drop(before);
        Row {
            table: self.clone(),
            end: end.clone(),
        }
    }

    pub(super) fn all(&self) -> Vec<Arc<End>> {
        self.0.lock().values().cloned().collect()
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        let mut rows = self.table.0.lock();
        // A later socket of the same peer may have taken its place.
        let mine = rows
            .get(self.end.remote.as_str())
            .is_some_and(|end| Arc::ptr_eq(end, &self.end));
        let row = mine.then(|| rows.remove(self.end.remote.as_str()));
        drop(rows);
        drop(row);
    }
}
