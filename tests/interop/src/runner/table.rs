//! The matrix as it is printed.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use anyhow::Result;

use super::Results;
use super::world::{Direction, Generation};

/// Which cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// The place of its row.
    pub(super) order: usize,
    pub(super) group: &'static str,
    pub(super) name: &'static str,
    pub(super) generation: Generation,
    pub(super) direction: Direction,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Key {
            group,
            name,
            generation,
            direction,
            ..
        } = self;
        write!(f, "{group}: {name} [{generation} {direction}]")
    }
}

pub(super) struct Table(Results);

impl Table {
    pub(super) fn new(keys: impl Iterator<Item = Key>) -> Self {
        Table(keys.map(|key| (key, None)).collect())
    }

    pub(super) fn enter(&mut self, key: Key, result: Result<()>) {
        self.0.insert(key, Some(result));
    }

    pub(super) fn failed(&self) -> usize {
        let passed = self
            .0
            .values()
            .filter(|result| matches!(result, Some(Ok(()))))
            .count();
        self.0.len() - passed
    }

    /// Rows by group, a column for each generation and direction, then why cells failed, then the count.
    pub(super) fn print(&self, took: Duration) {
        let columns: BTreeSet<_> = self.0.keys().map(|key| (key.generation, key.direction)).collect();
        self.print_head(&columns);
        let rows: BTreeSet<_> = self
            .0
            .keys()
            .map(|key| (key.order, key.group, key.name))
            .collect();
        let mut group = "";
        for (order, of_group, name) in rows {
            if of_group != group {
                println!("{of_group}");
                group = of_group;
            }
            let mut line = format!("  {name:<48}");
            for &(generation, direction) in &columns {
                let key = Key {
                    order,
                    group,
                    name,
                    generation,
                    direction,
                };
                line.push_str(&format!("{:<10}", self.shown(&key)));
            }
            println!("{}", line.trim_end());
        }
        self.print_failures();
        println!("\nin {:.0} s", took.as_secs_f64());
        println!(
            "{} passed, {} failed",
            self.0.len() - self.failed(),
            self.failed()
        );
    }

    fn print_head(&self, columns: &BTreeSet<(Generation, Direction)>) {
        let mut lines = [
            format!("{:<50}", ""),
            format!("{:<50}", "caller, publisher or looker -> the other"),
        ];
        for (generation, direction) in columns {
            lines[0].push_str(&format!("{:<10}", generation.to_string()));
            lines[1].push_str(&format!("{:<10}", direction.to_string()));
        }
        println!("{}\n{}", lines[0].trim_end(), lines[1].trim_end());
    }

    fn shown(&self, key: &Key) -> &'static str {
        match self.0.get(key) {
            None => "-",
            Some(Some(Ok(()))) => "passed",
            Some(_) => "FAILED",
        }
    }

    fn print_failures(&self) {
        for (key, result) in &self.0 {
            if let Some(Err(error)) = result {
                println!("\nfailed: {key}\n  {error:#}");
            }
        }
    }
}
