//! What the tests said, as a table for each suite.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What became of a clause on a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    /// For this reason.
    Excluded(String),
    Failed,
}

/// The backend that has every suite.
const REFERENCE: &str = "memory";

/// What became of every clause: by suite, clause and backend.
#[derive(Debug, Default)]
pub(super) struct Report {
    suites: BTreeMap<String, BTreeMap<String, BTreeMap<String, Outcome>>>,
    backends: BTreeSet<String>,
}

impl Report {
    /// Reads the lines `test BACKEND::SUITE::CLAUSE ... ok`, and `skipped BACKEND::SUITE::CLAUSE: REASON`.
    pub(super) fn read(said: &str, complained: &str) -> Self {
        let reasons = complained.lines().filter_map(|line| {
            // What other threads said may stand before it.
            let (_, skipped) = line.split_once("skipped ")?;
            skipped.split_once(": ")
        });
        let reasons: BTreeMap<_, _> = reasons.collect();
        let tests = said.lines().filter_map(|line| {
            let (path, outcome) = line.strip_prefix("test ")?.split_once(" ... ")?;
            let outcome = match (outcome, reasons.get(path)) {
                ("ok", Some(reason)) => Outcome::Excluded((*reason).to_owned()),
                ("ok", None) => Outcome::Passed,
                ("ignored", _) => return None,
                _ => Outcome::Failed,
            };
            let mut parts = path.split("::");
            let clause = (parts.next()?, parts.next()?, parts.next()?);
            parts.next().is_none().then_some((clause, outcome))
        });
        let tests: Vec<_> = tests.collect();
        let is_suite = |suite: &str| {
            tests
                .iter()
                .any(|((backend, other, _), _)| *backend == REFERENCE && *other == suite)
        };
        let mut report = Report::default();
        for ((backend, suite, clause), outcome) in &tests {
            if is_suite(suite) {
                report.add(backend, suite, clause, outcome.clone());
            }
        }
        report
    }

    fn add(&mut self, backend: &str, suite: &str, clause: &str, outcome: Outcome) {
        self.backends.insert(backend.to_owned());
        let clauses = self.suites.entry(suite.to_owned()).or_default();
        let row = clauses.entry(clause.to_owned()).or_default();
        row.insert(backend.to_owned(), outcome);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.suites.is_empty()
    }

    fn cells(&self) -> impl Iterator<Item = (&str, &str, &Outcome)> {
        let rows = self.suites.values().flatten();
        rows.flat_map(|(clause, row)| {
            row.iter()
                .map(move |(backend, outcome)| (&**clause, &**backend, outcome))
        })
    }

    /// Each reason, and which clauses it excludes on which backends.
    fn reasons(&self) -> BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> {
        let mut reasons: BTreeMap<_, BTreeMap<_, BTreeSet<_>>> = BTreeMap::new();
        for (clause, backend, outcome) in self.cells() {
            if let Outcome::Excluded(reason) = outcome {
                let clauses = reasons.entry(&**reason).or_default();
                clauses.entry(clause).or_default().insert(backend);
            }
        }
        reasons
    }

    fn write_suite(
        &self,
        f: &mut fmt::Formatter<'_>,
        suite: &str,
        clauses: &BTreeMap<String, BTreeMap<String, Outcome>>,
    ) -> fmt::Result {
        let runs = |backend: &&String| clauses.values().any(|row| row.contains_key(*backend));
        let backends: Vec<_> = self.backends.iter().filter(runs).collect();
        let names = backends.iter().map(|name| name.as_str());
        let head: Vec<_> = [suite].into_iter().chain(names).collect();
        writeln!(f, "| {} |", head.join(" | "))?;
        writeln!(f, "|{}", "---|".repeat(head.len()))?;
        for (clause, row) in clauses {
            write!(f, "| `{clause}` |")?;
            for backend in &backends {
                let cell = match row.get(*backend) {
                    Some(Outcome::Passed) => "ok",
                    Some(Outcome::Excluded(_)) => "–",
                    Some(Outcome::Failed) => "FAILED",
                    None => "",
                };
                write!(f, " {cell} |")?;
            }
            writeln!(f)?;
        }
        writeln!(f)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (suite, clauses) in &self.suites {
            self.write_suite(f, suite, clauses)?;
        }
        for (reason, clauses) in self.reasons() {
            writeln!(f, "–: {reason}")?;
            for (clause, backends) in clauses {
                let backends: Vec<_> = backends.into_iter().collect();
                writeln!(f, "- `{clause}`: {}", backends.join(", "))?;
            }
            writeln!(f)?;
        }
        let count = |is: fn(&Outcome) -> bool| self.cells().filter(|cell| is(cell.2)).count();
        write!(
            f,
            "{} clauses on {} backends: {} passed, {} excluded, {} failed",
            self.suites.values().map(BTreeMap::len).sum::<usize>(),
            self.backends.len(),
            count(|outcome| *outcome == Outcome::Passed),
            count(|outcome| matches!(outcome, Outcome::Excluded(_))),
            count(|outcome| *outcome == Outcome::Failed),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "\nrunning 6 tests\ntest memory::transport::one ... ok\ntest nats::transport::one ... FAILED\n\
        test memory::transport::two ... ok\ntest nats::transport::two ... ok\ntest testing::clock::jumps ... ok\n\
        test memory::broker::three ... ok\ntest result: FAILED. 5 passed\n";

    const COMPLAINED: &str = "warning\nskipped nats::transport::two: no close notice\n";

    #[test]
    fn each_suite_is_a_table_of_clauses_and_backends() {
        let report = Report::read(SAID, COMPLAINED).to_string();
        let transport =
            "| transport | memory | nats |\n|---|---|---|\n| `one` | ok | FAILED |\n| `two` | ok | – |\n";
        assert!(report.contains(transport), "{report}");
        assert!(
            report.contains("| broker | memory |\n|---|---|\n| `three` | ok |\n"),
            "{report}"
        );
        assert!(report.contains("–: no close notice\n- `two`: nats\n"), "{report}");
        let total = "3 clauses on 2 backends: 3 passed, 1 excluded, 1 failed";
        assert!(report.ends_with(total), "{report}");
    }

    #[test]
    fn what_is_no_clause_is_not_in_it() {
        let report = Report::read(SAID, COMPLAINED).to_string();
        assert!(!report.contains("jumps"), "{report}");
        assert!(Report::read("running 0 tests\n", "").is_empty());
    }
}
