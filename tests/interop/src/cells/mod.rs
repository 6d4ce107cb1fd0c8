//! The rows of the matrix. Each is one function, which is right for every generation and direction that it is tried
//! in; what differs is said where it differs.

use std::time::Duration;

use anyhow::Result;
use futures::future::BoxFuture;

use crate::runner::{Direction, Generation, Pair};

mod broker;
mod cli;
mod content_types;
mod described;
mod errors;
mod fleet;
mod guide;
mod guide_streams;
mod harm;
mod nodes;
mod odd_records;
mod registry;
mod silence;
mod sniff;
mod streams;
mod streams_ends;
mod survive;
mod unary;
mod unary_limits;

/// One row of the matrix.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) group: &'static str,
    pub(crate) name: &'static str,
    pub(crate) run: for<'a> fn(&'a Pair) -> BoxFuture<'a, Result<()>>,
    /// How long it may take, when that is long.
    pub(crate) limit: Option<Duration>,
    /// Whether it spends its time waiting, and takes nothing from those that run beside it.
    pub(crate) waits: bool,
    /// Whether its Go peers are what protoc-gen-micro generates.
    pub(crate) guide: bool,
    generation: Option<Generation>,
    direction: Option<Direction>,
}

/// A row, by its group, its name and its function.
macro_rules! row {
    ($group:literal, $name:literal, $run:path) => {
        $crate::cells::Row::new($group, $name, |pair| Box::pin($run(pair)))
    };
}
pub(crate) use row;

impl Row {
    fn new(
        group: &'static str,
        name: &'static str,
        run: for<'a> fn(&'a Pair) -> BoxFuture<'a, Result<()>>,
    ) -> Self {
        Row {
            group,
            name,
            run,
            limit: None,
            waits: false,
            guide: false,
            generation: None,
            direction: None,
        }
    }

    /// Allows it more time.
    fn within(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Takes so long at most, and does hardly anything meanwhile.
    fn waits(mut self, limit: Duration) -> Self {
        self.waits = true;
        self.within(limit)
    }

    /// Is about the route guide, which is generated for one generation alone.
    fn of_the_guide(mut self) -> Self {
        self.guide = true;
        self.with(Generation::V5)
    }

    /// Makes sense in one direction only.
    fn only(mut self, direction: Direction) -> Self {
        self.direction = Some(direction);
        self
    }

    /// Is tried with one generation only.
    fn with(mut self, generation: Generation) -> Self {
        self.generation = Some(generation);
        self
    }

    pub(crate) fn holds_for(&self, generation: Generation, direction: Direction) -> bool {
        self.generation.is_none_or(|only| only == generation)
            && self.direction.is_none_or(|only| only == direction)
    }
}

/// All rows, in the order in which they are printed.
pub(crate) fn rows() -> Vec<Row> {
    [
        content_types::rows(),
        unary::rows(),
        unary_limits::rows(),
        errors::rows(),
        streams::rows(),
        streams_ends::rows(),
        registry::rows(),
        nodes::rows(),
        described::rows(),
        guide::rows(),
        guide_streams::rows(),
        cli::rows(),
        broker::rows(),
        harm::rows(),
        odd_records::rows(),
        survive::rows(),
        silence::rows(),
        fleet::rows(),
    ]
    .concat()
}
