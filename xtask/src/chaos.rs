//! `cargo xtask chaos`: services of real processes, while what they stand on fails.

use anyhow::Result;

use crate::{nats, process};

/// Builds the package micro-chaos and runs it, with a real nats-server at hand.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Builds with optimisations, which the long forms want.
    #[arg(long)]
    release: bool,
    /// Passed on to the program; `--help` after `--` lists what it takes.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARG")]
    args: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let server = nats::ensure()?;
    let mut command = process::cargo(["run", "--package", "micro-chaos"]);
    if args.release {
        command.arg("--release");
    }
    command.arg("--").args(&args.args).env(nats::VARIABLE, server);
    process::run(&mut command)
}
