use std::time::Duration;

use super::*;

fn record(ids: &[&str]) -> ServiceRecord {
    let mut record = ServiceRecord::new("a", "1");
    record.nodes = ids.iter().map(|id| Node::new(*id, "x")).collect();
    record
}

fn ids(nodes: &[Node]) -> Vec<&str> {
    nodes.iter().map(|node| node.id.as_str()).collect()
}

fn after(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

#[test]
fn a_node_is_new_until_it_was_announced() {
    let mut table = Table::default();
    table.find(&record(&["n"]), after(9));
    assert_eq!(
        ids(&table.announce(&record(&["n", "m"]), after(9)).new),
        ["n", "m"]
    );
    table.find(&record(&["n"]), after(9));
    let sighted = table.announce(&record(&["n", "o"]), after(9));
    assert_eq!((ids(&sighted.known), ids(&sighted.new)), (vec!["n"], vec!["o"]));
    assert_eq!(table.len(), 3);
}

#[test]
fn only_what_is_there_is_removed() {
    let mut table = Table::default();
    table.announce(&record(&["n", "m"]), after(9));
    assert_eq!(ids(&table.remove(&record(&["m", "o"]))), ["m"]);
    assert!(
        table
            .remove(&ServiceRecord::new("a", "2").with_node(Node::new("n", "")))
            .is_empty()
    );
    assert_eq!(ids(&table.remove(&record(&["n"]))), ["n"]);
    assert_eq!((table.len(), table.records(|_| true).len()), (0, 0));
}

#[test]
fn a_refresh_keeps_a_node_and_silence_ages_it_out() {
    let mut table = Table::default();
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    table.announce(&record(&["n", "m"]), at(10));
    table.announce(&record(&["n"]), at(20));
    assert!(table.expire(at(9)).is_empty());
    let aged = table.expire(at(10));
    assert_eq!((aged.len(), ids(&aged[0].nodes)), (1, vec!["m"]));
    assert_eq!((table.wake(), table.len()), (Some(at(20)), 1));
    assert_eq!(ids(&table.expire(at(20))[0].nodes), ["n"]);
    assert_eq!((table.wake(), table.len()), (None, 0));
}

#[test]
fn a_shorter_lease_wakes_earlier() {
    let mut table = Table::default();
    let (soon, late) = (after(1), after(9));
    table.announce(&record(&["n"]), late);
    table.announce(&record(&["m"]), soon);
    assert_eq!(table.wake(), Some(soon));
}

#[test]
fn records_are_told_with_what_was_said_last() {
    let mut table = Table::default();
    let mut described = record(&["n"]);
    described.metadata.insert("k".into(), "v".into());
    table.announce(&described, after(9));
    table.announce(&record(&["m"]), after(9));
    described.nodes = record(&["m", "n"]).nodes;
    assert_eq!(table.records(|name| name == "a"), [described]);
    assert!(table.records(|name| name == "b").is_empty());
}
