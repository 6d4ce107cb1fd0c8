//! Services of real processes under load, while what they stand on fails.
//!
//! One program, two parts: the runner, which starts the nats-server and the instances of a service, loads them, and
//! judges; and with `serve` one such instance. See `README.md`.

// This is a program: its output is its job.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod instance;
mod interface;
mod overload;
mod process;
mod proxy;
mod restart;
mod slow;
mod storm;

/// Services of real processes under load, while what they stand on fails.
#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    storm: storm::Args,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Restarts the instances of a service in turn, and counts what was lost.
    Restart(restart::Args),
    /// Makes ten times the calls that a service can carry.
    Overload(overload::Args),
    /// Shows what one slow member costs its queue group, while it stays and while it pauses.
    Slow(slow::Args),
    /// Is one instance of the service.
    Serve(instance::Args),
}

#[tokio::main]
async fn main() -> ExitCode {
    let _ = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(std::env::var("MICRO_CHAOS_LOG").unwrap_or_else(|_| "off".to_owned()))
        .try_init();
    let cli = Cli::parse();
    let done = match cli.command {
        Some(Command::Restart(args)) => restart::run(&args).await,
        Some(Command::Overload(args)) => overload::run(&args).await,
        Some(Command::Slow(args)) => slow::run(&args).await,
        Some(Command::Serve(args)) => instance::run(&args).await.map(|()| true),
        None => storm::run(&cli.storm).await,
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
