//! The answers to one query, put together.

use std::collections::BTreeSet;

use micro_core::registry::ServiceRecord;
use tokio::time::Instant;

use crate::hub::Known;
use crate::table::{NodeKey, Table};
use crate::wire::Query;

/// What came in so far, each node once; the last answer about a node wins.
#[derive(Debug)]
pub(crate) struct Answers {
    query: Query,
    found: Table,
    count: usize,
    /// Nodes that are known to be there and have not answered.
    missing: BTreeSet<NodeKey>,
    /// Whether every node is known.
    knows_all: bool,
}

impl Answers {
    /// Begins with what this process holds itself.
    pub(crate) fn new(query: Query, own: &[ServiceRecord]) -> Self {
        let mut answers = Answers {
            query,
            found: Table::default(),
            count: 0,
            missing: BTreeSet::new(),
            knows_all: false,
        };
        for record in own {
            answers.enter(record);
        }
        answers
    }

    /// What is asked.
    pub(crate) fn query(&self) -> &Query {
        &self.query
    }

    /// Says which nodes are known to be there.
    pub(crate) fn expect(&mut self, known: Known) {
        let present = self.found.node_ids(|_| true);
        self.missing = known.nodes.difference(&present).cloned().collect();
        self.knows_all = known.all;
    }

    /// Takes an answer; one to another question is passed over.
    pub(crate) fn take(&mut self, record: &ServiceRecord) {
        if self.query.covers(&record.name) {
            self.count += 1;
            self.enter(record);
        }
    }

    /// How many answers came.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Whether a node that is known to be there has not answered.
    pub(crate) fn are_expected(&self) -> bool {
        !self.missing.is_empty()
    }

    /// Whether every node has answered.
    pub(crate) fn are_complete(&self) -> bool {
        self.count > 0 && self.knows_all && self.missing.is_empty()
    }

    /// By name and version, the nodes sorted by id.
    pub(crate) fn into_records(self) -> Vec<ServiceRecord> {
        self.found.records(|_| true)
    }

    fn enter(&mut self, record: &ServiceRecord) {
        // Nothing ages here: a query is over before that.
        self.found.announce(record, Instant::now());
        if self.missing.is_empty() {
            return;
        }
        for node in &record.nodes {
            let key = (record.name.clone(), record.version.clone(), node.id.clone());
            self.missing.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use micro_core::registry::Node;

    use super::*;

    fn record(version: &str, nodes: &[(&str, &str)]) -> ServiceRecord {
        let mut record = ServiceRecord::new("a", version);
        record.nodes = nodes
            .iter()
            .map(|(id, address)| Node::new(*id, *address))
            .collect();
        record
    }

    fn answers(own: &[ServiceRecord]) -> Answers {
        Answers::new(Query::Get("a".into()), own)
    }

    #[test]
    fn versions_stay_apart_and_nodes_are_merged_and_sorted() {
        let mut answers = answers(&[record("2", &[("z", "0")])]);
        answers.take(&record("1", &[("n", "old")]));
        answers.take(&record("2", &[("b", "1")]));
        answers.take(&record("1", &[("n", "new")]));
        answers.take(&ServiceRecord::new("other", "1").with_node(Node::new("o", "x")));
        assert_eq!(answers.count(), 3);
        assert_eq!(
            answers.into_records(),
            [
                record("1", &[("n", "new")]),
                record("2", &[("b", "1"), ("z", "0")])
            ]
        );
    }

    fn known(ids: &[&str], all: bool) -> Known {
        let key = |id: &&str| ("a".to_owned(), "1".to_owned(), (*id).to_owned());
        Known {
            nodes: ids.iter().map(key).collect(),
            all,
        }
    }

    #[test]
    fn answers_are_complete_when_all_have_answered() {
        let mut answers = answers(&[record("1", &[("own", "0")])]);
        answers.expect(known(&["own", "n"], true));
        answers.take(&record("1", &[("own", "0")]));
        assert_eq!((answers.are_complete(), answers.are_expected()), (false, true));
        answers.take(&record("1", &[("n", "1")]));
        assert_eq!((answers.are_complete(), answers.are_expected()), (true, false));
    }

    #[test]
    fn answers_are_not_complete_while_others_may_be_there() {
        let mut answers = answers(&[]);
        answers.expect(known(&["n"], false));
        answers.take(&record("1", &[("n", "1")]));
        assert_eq!((answers.are_complete(), answers.are_expected()), (false, false));
    }
}
