//! The answers to one query, put together.

use std::collections::BTreeSet;

use micro_core::registry::ServiceRecord;
use tokio::time::Instant;

use crate::table::{NodeKey, Table};
use crate::wire::Query;

/// What came in so far, each node once; the last answer about a node wins.
#[derive(Debug)]
pub(crate) struct Answers {
    query: Query,
    found: Table,
    count: usize,
    /// Nodes that are known to be there and have not answered; `None` when nobody can say who is there.
    missing: Option<BTreeSet<NodeKey>>,
}

impl Answers {
    /// Begins with what this process holds itself.
    pub(crate) fn new(query: Query, own: &[ServiceRecord]) -> Self {
        let mut answers = Answers {
            query,
            found: Table::default(),
            count: 0,
            missing: None,
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
    pub(crate) fn expect(&mut self, known: Option<BTreeSet<NodeKey>>) {
        let present = self.found.node_ids(|_| true);
        self.missing = known.map(|known| known.difference(&present).cloned().collect());
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

    /// Whether every node that is known to be there has answered, and somebody has.
    pub(crate) fn are_complete(&self) -> bool {
        self.count > 0 && self.missing.as_ref().is_some_and(BTreeSet::is_empty)
    }

    /// By name and version, the nodes sorted by id.
    pub(crate) fn into_records(self) -> Vec<ServiceRecord> {
        self.found.records(|_| true)
    }

    fn enter(&mut self, record: &ServiceRecord) {
        // Nothing ages here: a query is over before that.
        self.found.announce(record, Instant::now());
        if let Some(missing) = &mut self.missing {
            for node in &record.nodes {
                missing.remove(&(record.name.clone(), record.version.clone(), node.id.clone()));
            }
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

    #[test]
    fn answers_are_complete_when_all_that_are_known_have_answered() {
        let mut answers = answers(&[record("1", &[("own", "0")])]);
        assert!(!answers.are_complete());
        let known = ["own", "n"].map(|id| ("a".to_owned(), "1".to_owned(), id.to_owned()));
        answers.expect(Some(BTreeSet::from(known)));
        answers.take(&record("1", &[("own", "0")]));
        assert!(!answers.are_complete());
        answers.take(&record("1", &[("n", "1")]));
        assert!(answers.are_complete());
    }

    #[test]
    fn nobody_knows_when_answers_are_complete_without_a_watch() {
        let mut answers = answers(&[]);
        answers.expect(None);
        answers.take(&record("1", &[("n", "1")]));
        assert!(!answers.are_complete());
    }
}
