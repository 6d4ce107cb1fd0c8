//! Runs the cells of the matrix, each in a world of its own, and prints what became of them.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use clap::ValueEnum as _;
use futures::{FutureExt as _, StreamExt as _, stream};

use crate::cells::{self, Row};

mod expect;
mod process;
mod table;
mod tool;
mod world;

pub(crate) use expect::{Outcome, Received, ensure_eq, field, within};
pub(crate) use process::{Events, Peer};
pub(crate) use world::{Direction, Generation, Pair, SERVICE};

use table::{Key, Table};
use world::Programs;

/// How long a cell may take when it does not say otherwise.
const LIMIT: Duration = Duration::from_secs(45);

/// How many cells wait at once, beside those that have something to do.
const WAITING: usize = 8;

/// What to try.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only rows whose group and name contain this.
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Only this generation of go-micro.
    #[arg(long)]
    generation: Option<Generation>,
    /// Only this direction. `go-go` shows what go-micro does alone, and `rust-rust` what we do.
    #[arg(long)]
    direction: Option<Direction>,
    /// How many cells run at once, beside those that do nothing but wait.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// The peer built on go-micro v5.
    #[arg(long, env = "MICRO_INTEROP_V5", value_name = "FILE")]
    v5: PathBuf,
    /// The peer built on go-micro v2.
    #[arg(long, env = "MICRO_INTEROP_V2", value_name = "FILE")]
    v2: PathBuf,
    /// go-micro's own command line tool, `micro` of v5.8.0.
    #[arg(long, env = "MICRO_INTEROP_CLI", value_name = "FILE")]
    cli: PathBuf,
    /// The peer made of what protoc-gen-micro generates.
    #[arg(long, env = "MICRO_INTEROP_GUIDE", value_name = "FILE")]
    guide: PathBuf,
}

/// One cell of the matrix: a row, tried with one generation in one direction.
struct Cell {
    row: Row,
    key: Key,
}

/// Answers whether all passed.
pub(crate) async fn run(args: Args) -> Result<bool> {
    let programs = Arc::new(Programs::new(&args)?);
    let mut cells = chosen(&args);
    if cells.is_empty() {
        bail!("no cell is called like {:?}", args.only);
    }
    let mut table = Table::new(cells.iter().map(|cell| cell.key.clone()));
    // What takes longest begins first.
    cells.sort_by_key(|cell| std::cmp::Reverse(cell.row.limit));
    let (waiting, busy): (Vec<_>, Vec<_>) = cells.into_iter().partition(|cell| cell.row.waits);
    let tried = |cells: Vec<Cell>, at_once: usize| {
        let programs = programs.clone();
        let cells = stream::iter(cells).map(move |cell| try_cell(cell, programs.clone()));
        cells.buffer_unordered(at_once.max(1))
    };
    let start = Instant::now();
    let mut results = stream::select(tried(waiting, WAITING), tried(busy, args.jobs));
    while let Some((key, result)) = results.next().await {
        eprintln!("{} {key}", if result.is_ok() { "passed" } else { "FAILED" });
        table.enter(key, result);
    }
    table.print(start.elapsed());
    Ok(table.failed() == 0)
}

fn chosen(args: &Args) -> Vec<Cell> {
    let directions = match args.direction {
        Some(direction) => vec![direction],
        None => vec![Direction::GoRust, Direction::RustGo],
    };
    let generations = match args.generation {
        Some(generation) => vec![generation],
        None => Generation::value_variants().to_vec(),
    };
    let mut cells = Vec::new();
    for (order, row) in cells::rows().into_iter().enumerate() {
        for &generation in &generations {
            for &direction in &directions {
                let key = Key {
                    order,
                    group: row.group,
                    name: row.name,
                    generation,
                    direction,
                };
                if row.holds_for(generation, direction) && key.to_string().contains(&args.only) {
                    cells.push(Cell {
                        row: row.clone(),
                        key,
                    });
                }
            }
        }
    }
    cells
}

async fn try_cell(cell: Cell, programs: Arc<Programs>) -> (Key, Result<()>) {
    let Cell { row, key } = cell;
    let limit = row.limit.unwrap_or(LIMIT);
    let (generation, direction) = (key.generation, key.direction);
    // A task of its own, so that a panic is the failure of this cell alone.
    let work = async move {
        let programs = match row.guide {
            true => Arc::new(programs.of_the_guide()),
            false => programs,
        };
        let pair = Pair::new(programs, generation, direction).await?;
        (row.run)(&pair).await
    };
    let work = AssertUnwindSafe(tokio::time::timeout(limit, work)).catch_unwind();
    let result = match work.await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(anyhow!("not done within {limit:?}")),
        Err(panic) => Err(anyhow!("panicked: {}", said(&*panic))),
    };
    (key, result)
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

/// What became of each cell, by row.
type Results = BTreeMap<Key, Option<Result<()>>>;
