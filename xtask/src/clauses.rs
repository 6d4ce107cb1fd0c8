//! `cargo xtask clauses`: which clause holds on which backend.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::{nats, process};

mod report;

use report::Report;

/// Runs every clause on every backend, once, and prints a table: passed, excluded by what the backend says that it cannot
/// do, or failed.
///
/// It goes to `target/clauses.md`, too. The last line is `N clauses on N backends: N passed, N excluded, N failed`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Passed on to the program of tests: a filter such as `transport::`, `--test-threads 4`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARG")]
    args: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let server = nats::ensure()?;
    let program = ["test", "--package", "micro-conformance", "--test", "conformance"];
    // First by itself: what the compiler says is no part of the report.
    process::run(process::cargo(program).arg("--no-run"))?;
    let mut command = process::cargo(program);
    command.arg("--").args(&args.args).env(nats::VARIABLE, server);
    let output = process::output(&mut command)?;
    let (said, complained) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let report = Report::read(&said, &complained);
    if report.is_empty() {
        bail!("no clause ran: {said}{complained}");
    }
    let path = process::target().join("clauses.md");
    fs::write(&path, format!("# Clauses\n\n{report}\n"))
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("{report}");
    if !output.status.success() {
        // Also what is no clause, and what died before it could say so.
        let failures = said.split_once("\nfailures:\n").map_or("", |(_, behind)| behind);
        bail!("tests failed ({}):\n{failures}", output.status);
    }
    Ok(())
}
