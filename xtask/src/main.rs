//! Everything that CI does, runnable by hand: `cargo xtask --help` lists it.
//!
//! It depends on no crate of the workspace, so its first build is short and it works when they do not compile.

// This is a program: its output is its job.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod against;
mod bench;
mod build_time;
mod chaos;
mod ci;
mod clauses;
mod floors;
mod fuzz;
mod guarantees;
mod interop;
mod matrix;
mod nats;
mod process;
mod test;

/// Everything that CI does, runnable by hand.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Finds or fetches a real nats-server and prints its path.
    Nats(nats::Args),
    /// Runs every test, with a real nats-server at hand.
    Test(test::Args),
    /// Runs what CI runs: format, clippy, docs, floors, tests, live go-micro peers.
    Ci(ci::Args),
    /// Runs the benchmarks, in release, with a real nats-server at hand.
    Bench(bench::Args),
    /// Measures our side of the benchmarks beside that of an earlier commit.
    Against(against::Args),
    /// Tries every way in which a Rust and a go-micro service can meet.
    Interop(interop::Args),
    /// Loads services of real processes while what they stand on fails.
    Chaos(chaos::Args),
    /// Runs the tests that need a nats-server on each version of it that is promised.
    Matrix(matrix::Args),
    /// Runs every clause on every backend, and prints a table of them.
    Clauses(clauses::Args),
    /// Tries every decoder, and the whole server, with what strangers may send.
    Fuzz(fuzz::Args),
    /// Measures what a service of many methods adds to a build.
    BuildTime(build_time::Args),
    /// Checks that imports go down only.
    Floors,
    /// Checks that every test exists which docs/guarantees.md and docs/limits.md name.
    Guarantees,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            if error.is::<interop::NoGo>() {
                return ExitCode::from(interop::NoGo::EXIT_CODE);
            }
            match error.is::<fuzz::NoFuzzer>() {
                true => ExitCode::from(fuzz::NoFuzzer::EXIT_CODE),
                false => ExitCode::FAILURE,
            }
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Nats(args) => nats::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Ci(args) => ci::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Against(args) => against::run(&args),
        Command::Interop(args) => interop::run(&args),
        Command::Chaos(args) => chaos::run(&args),
        Command::Matrix(args) => matrix::run(&args),
        Command::Clauses(args) => clauses::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::BuildTime(args) => build_time::run(&args),
        Command::Floors => floors::run(),
        Command::Guarantees => guarantees::run::<Cli>(),
    }
}
