//! `cargo xtask matrix`: the tests that need a nats-server, on each version of it that is promised.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::{nats, process};

mod binaries;
mod table;

use binaries::Binary;
use table::{Cell, Table};

/// What is promised: of each of these series the newest release.
const SERIES: &[&str] = &["2.10", "2.11", "2.12", "2.14", "2.15"];

/// Builds the tests that need a nats-server once, and runs them on each version of it.
///
/// Fails when one fails; its output is shown. The last line is `N passed, N failed`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only on these: a series such as 2.12, or an exact version [default: 2.10, 2.11, 2.12, 2.14, 2.15]
    #[arg(long, value_name = "X", value_delimiter = ',')]
    servers: Vec<String>,
    /// Only these packages [default: those that use nats-testing]
    #[arg(short, long, value_name = "NAME", value_delimiter = ',')]
    package: Vec<String>,
    /// Looks for newer releases than the cache holds.
    #[arg(long)]
    refresh: bool,
    /// Passed on to every test program: a filter, `--skip NAME`, `--test-threads 4`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARG")]
    args: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    // First what may be out of reach: building takes longer.
    let servers = wanted(&args.servers)
        .map(|series| nats::newest(series, args.refresh))
        .collect::<Result<Vec<_>>>()?;
    let binaries = binaries::build(&args.package)?;
    let mut table = Table::new(&binaries);
    for (version, server) in servers {
        let start = Instant::now();
        let cells: Vec<Cell> = binaries
            .iter()
            .map(|binary| run_one(binary, &server, &args.args))
            .collect::<Result<_>>()?;
        eprintln!("== {version} in {:.0?}", start.elapsed());
        table.add(&version, cells);
    }
    println!("{table}");
    let (passed, failed) = table.totals();
    println!("{passed} passed, {failed} failed");
    match failed {
        0 => Ok(()),
        _ => bail!("{failed} tests failed on some version of nats-server"),
    }
}

fn wanted(given: &[String]) -> impl Iterator<Item = &str> {
    let default = SERIES.iter().copied().filter(|_| given.is_empty());
    given.iter().map(String::as_str).chain(default)
}

/// Runs one program of tests; what it says is shown when something failed.
fn run_one(binary: &Binary, server: &Path, args: &[String]) -> Result<Cell> {
    let mut command = Command::new(&binary.program);
    command
        .args(args)
        .current_dir(&binary.folder)
        .env("CARGO_MANIFEST_DIR", &binary.folder)
        .env(nats::VARIABLE, server);
    let output = process::output(&mut command)?;
    let said = String::from_utf8_lossy(&output.stdout);
    let cell = Cell::read(&said, output.status.success());
    if cell.failed > 0 {
        eprintln!("{} ({}) on {}:", binary.name, output.status, server.display());
        eprintln!("{said}{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(cell)
}
