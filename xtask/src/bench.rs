//! `cargo xtask bench`: what a call costs, beside its peers.

use anyhow::Result;

use crate::{nats, process};

/// Builds the package micro-benches in release and runs it; its report goes to `target/bench`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Passed on to the program; `--help` lists what it takes.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARG")]
    args: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let server = nats::ensure()?;
    let program = [
        "run",
        "--release",
        "--package",
        "micro-benches",
        "--bin",
        "micro-benches",
        "--",
    ];
    process::run(
        process::cargo(program)
            .args(&args.args)
            .env(nats::VARIABLE, server),
    )
}
