//! `cargo xtask bench`: what a call costs, beside its peers.

use anyhow::Result;

use crate::{interop, nats, process};

/// Builds the package micro-benches with the profile `bench` and runs it; its report goes to `target/bench`.
///
/// Where there is Go, go-micro itself is measured, too.
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
        "--profile",
        "bench",
        "--package",
        "micro-benches",
        "--features",
        "peers",
        "--",
    ];
    let mut command = process::cargo(program);
    command.args(&args.args).env(nats::VARIABLE, server);
    match interop::has_go() {
        true => drop(command.env(interop::V5, interop::peer("v5")?)),
        false => eprintln!("there is no Go: the cases beside go-micro are left out"),
    }
    process::run(&mut command)
}
