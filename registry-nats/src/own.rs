//! What this process has registered, and answers for.

use std::time::Duration;

use micro_core::registry::{Node, ServiceRecord};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::due::until_due;
use crate::table::Table;
use crate::wire::Query;

/// A time to live is cut to this: clocks cannot say much more.
const LONGEST_TTL: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// The records that were registered through one registry.
#[derive(Debug, Default)]
pub(crate) struct Own {
    table: Mutex<Table>,
    changed: Notify,
}

impl Own {
    /// Holds the nodes of a record for `ttl`; returns a record of those that were not held before.
    pub(crate) fn hold(&self, record: &ServiceRecord, ttl: Duration) -> ServiceRecord {
        let ends = Instant::now() + ttl.min(LONGEST_TTL);
        let sighted = self.table.lock().announce(record, ends);
        self.changed.notify_one();
        with_nodes(record, sighted.new)
    }

    /// Lets nodes go; returns a record of those that were held, if any.
    pub(crate) fn release(&self, record: &ServiceRecord) -> Option<ServiceRecord> {
        let nodes = self.table.lock().remove(record);
        (!nodes.is_empty()).then(|| with_nodes(record, nodes))
    }

    /// Lets everything go.
    pub(crate) fn release_all(&self) -> Vec<ServiceRecord> {
        let table = std::mem::take(&mut *self.table.lock());
        table.records(|_| true)
    }

    /// Lets go what was not refreshed.
    pub(crate) fn expire(&self, now: Instant) -> Vec<ServiceRecord> {
        self.table.lock().expire(now)
    }

    /// The records that a query is about.
    pub(crate) fn records(&self, query: &Query) -> Vec<ServiceRecord> {
        self.table.lock().records(|name| query.covers(name))
    }

    /// Waits until something may have to expire. One task does.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub(crate) async fn until_due(&self) {
        until_due(&self.changed, || self.table.lock().wake()).await;
    }
}

/// Name and version of a record, with other nodes.
fn with_nodes(record: &ServiceRecord, nodes: Vec<Node>) -> ServiceRecord {
    ServiceRecord {
        nodes,
        ..ServiceRecord::new(&record.name, &record.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(ids: &[&str]) -> ServiceRecord {
        let nodes = ids.iter().map(|id| Node::new(*id, "x")).collect();
        with_nodes(&ServiceRecord::new("a", "1"), nodes)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_refreshed_is_due_after_its_time_to_live() {
        let own = Own::default();
        let start = Instant::now();
        own.hold(&record(&["n"]), Duration::MAX);
        own.hold(&record(&["m"]), Duration::from_secs(2));
        own.until_due().await;
        assert_eq!(start.elapsed().as_secs(), 2);
        assert_eq!(own.expire(Instant::now()), [record(&["m"])]);
        assert_eq!(own.records(&Query::Get("a".into())), [record(&["n"])]);
    }

    #[tokio::test]
    async fn only_what_is_held_is_released() {
        let own = Own::default();
        assert_eq!(own.hold(&record(&["n", "m"]), Duration::MAX), record(&["n", "m"]));
        assert_eq!(own.hold(&record(&["n", "o"]), Duration::MAX), record(&["o"]));
        assert_eq!(own.release(&record(&["o", "x"])), Some(record(&["o"])));
        assert_eq!(own.release(&record(&["o"])), None);
        assert_eq!(own.release_all(), [record(&["m", "n"])]);
        assert!(own.records(&Query::List).is_empty());
    }
}
