//! What bytes of strangers must not do here: the properties that the targets in `fuzz/` hold this crate to.
//!
//! Each takes any bytes and panics when a property does not hold. A test replays the committed inputs.

use micro_core::registry::{Action, Change, ServiceRecord};
use tokio::time::Instant;

use crate::table::Table;
use crate::wire::{self, Query};

/// What is read as a question is one that a go-micro process survives, and is written as it was meant.
pub fn queries(data: &[u8]) {
    let Ok(query) = Query::read(data) else {
        return;
    };
    assert_ne!(
        query,
        Query::Get(String::new()),
        "go-micro dies of a query for nothing"
    );
    let written = query.write().ok();
    assert_eq!(
        written.and_then(|written| Query::read(&written).ok()),
        Some(query)
    );
}

/// What is read as an announcement or an answer names a service and nodes; however it is cut to fit, nothing is lost.
pub fn records(data: &[u8]) {
    if let Ok(record) = wire::read_answer(data) {
        is_usable(&record, true);
        let written = |limit| wire::write_answer(&record, limit).ok();
        cut(&record, data.len(), written, |payload| {
            wire::read_answer(payload).ok()
        });
    }
    if let Ok(change) = wire::read_change(data) {
        is_usable(&change.service, change.action != Action::Delete);
        let written = |limit| wire::write_change(&change, limit).ok();
        let read = |payload: &[u8]| {
            let back = wire::read_change(payload).ok()?;
            assert_eq!(back.action, change.action);
            Some(back.service)
        };
        cut(&change.service, data.len(), written, read);
        counts_nodes(&change);
    }
}

fn is_usable(record: &ServiceRecord, dialled: bool) {
    assert!(!record.name.is_empty() && !record.nodes.is_empty());
    assert!(record.nodes.iter().all(|node| !node.id.is_empty()));
    assert!(!dialled || record.nodes.iter().all(|node| !node.address.is_empty()));
}

/// Writes a record into payloads of at most half of what it came in, and reads them again.
fn cut(
    record: &ServiceRecord,
    size: usize,
    write: impl Fn(usize) -> Option<Vec<bytes::Bytes>>,
    read: impl Fn(&[u8]) -> Option<ServiceRecord>,
) {
    for limit in [usize::MAX, size / 2] {
        let Some(payloads) = write(limit) else {
            assert!(limit < usize::MAX, "a record that was read cannot be written");
            continue;
        };
        assert!(payloads.iter().all(|payload| payload.len() <= limit));
        let parts: Vec<_> = payloads.iter().map(|payload| read(payload)).collect();
        assert!(parts.iter().all(Option::is_some));
        let nodes = parts.iter().flatten().flat_map(|part| &part.nodes);
        assert!(nodes.eq(&record.nodes), "nodes are lost");
        let whole = |part: &ServiceRecord| ServiceRecord {
            nodes: record.nodes.clone(),
            ..part.clone()
        };
        assert!(parts.iter().flatten().all(|part| whole(part) == *record));
    }
}

/// The table knows how many nodes it has, whichever ids come twice.
fn counts_nodes(change: &Change) {
    let mut table = Table::default();
    let now = Instant::now();
    for _ in 0..2 {
        table.announce(&change.service, now);
    }
    assert_eq!(table.len(), table.node_ids(|_| true).len());
    let removed = table.remove(&change.service);
    assert!(table.len() == 0 && !removed.is_empty());
    table.announce(&change.service, now);
    table.expire(now);
    assert_eq!((table.len(), table.records(|_| true).len()), (0, 0));
}

#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn the_inputs_of_the_fuzz_targets_hold() {
        replay("queries", super::queries);
        replay("records", super::records);
    }
}
