//! The sockets of a listener.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use nats_common::Slot;
use parking_lot::Mutex;

use crate::end::End;
use crate::native;

/// The sockets of one listener, by the reply subject of their dialler.
#[derive(Default)]
pub(crate) struct Table {
    rows: Mutex<HashMap<String, Tenant>>,
    /// Where words for them come when the listener has left. It is open as long as any of them is.
    home: OnceLock<Slot>,
}

/// One end of a socket, in either encoding.
#[derive(Clone)]
pub(crate) enum Tenant {
    GoMicro(Arc<End>),
    Native(Arc<native::End>),
}

/// A socket's row in the table, for as long as the socket is held.
pub(crate) struct Row {
    table: Arc<Table>,
    tenant: Tenant,
}

impl Table {
    pub(super) fn get(&self, reply: &str) -> Option<Tenant> {
        self.rows.lock().get(reply).cloned()
    }

    pub(super) fn len(&self) -> usize {
        self.rows.lock().len()
    }

    pub(super) fn set_home(&self, home: Slot) {
        self.home.get_or_init(|| home);
    }

    pub(super) fn insert(self: &Arc<Self>, tenant: Tenant) -> Row {
        let before = self.rows.lock().insert(tenant.key().to_owned(), tenant.clone());
        // Dropped after the lock.
        drop(before);
        Row {
            table: self.clone(),
            tenant,
        }
    }

    pub(super) fn all(&self) -> Vec<Tenant> {
        self.rows.lock().values().cloned().collect()
    }
}

impl Tenant {
    fn key(&self) -> &str {
        match self {
            Tenant::GoMicro(end) => &end.remote,
            Tenant::Native(end) => &end.remote,
        }
    }

    fn is(&self, other: &Tenant) -> bool {
        match (self, other) {
            (Tenant::GoMicro(one), Tenant::GoMicro(other)) => Arc::ptr_eq(one, other),
            (Tenant::Native(one), Tenant::Native(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        let key = self.tenant.key();
        let mut rows = self.table.rows.lock();
        let mut row = rows.remove(key);
        // A later socket of the same peer may have taken its place.
        if let Some(other) = row.take_if(|row| !row.is(&self.tenant)) {
            rows.insert(key.to_owned(), other);
        }
        drop(rows);
        drop(row);
    }
}
