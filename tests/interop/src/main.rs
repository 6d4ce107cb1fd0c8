//! Every way in which a Rust and a go-micro service can meet, tried with live peers.
//!
//! One program, two parts: the runner, which starts a nats-server and the peers for each cell of the matrix, and
//! with `peer` the Rust peer, which is told what to do by the same lines as the Go ones. See `README.md`.

// This is a program: its output is its job.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod cells;
mod generate;
#[cfg(test)]
mod generations;
mod peer;
mod runner;

/// Tries every way in which a Rust and a go-micro service can meet.
#[derive(Parser)]
#[command(subcommand_negates_reqs = true)]
struct Cli {
    #[command(flatten)]
    matrix: Option<runner::Args>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Is a peer, told what to do by lines on standard input.
    Peer(peer::Args),
    /// Makes Go code of a .proto file.
    Generate(generate::Args),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match (cli.command, cli.matrix) {
        (Some(Command::Peer(args)), _) => peer::run(args).await.map(|()| true),
        (Some(Command::Generate(args)), _) => generate::run(&args).map(|()| true),
        (None, Some(matrix)) => runner::run(matrix).await,
        (None, None) => Err(anyhow::anyhow!("there is nothing to do; see --help")),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
