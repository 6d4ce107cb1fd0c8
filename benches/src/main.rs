#![doc = include_str!("../README.md")]
// This is a program: its output is its job.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser;

mod about;
mod calls;
mod cases;
mod cpu;
mod flow;
mod forms;
mod go_peer;
mod interface;
mod items;
mod load;
mod outcome;
mod payload;
mod plot;
mod polling;
mod report;
mod rounds;
mod server;
mod soak;
mod stack;
mod threads;

use about::About;
use cases::{Case, NotRun};
use report::{Report, Row};
use rounds::{Contest, Plan, Who};
use server::NatsServer;
use soak::Soak;
use threads::Threads;

/// What a call costs on micro, beside its peers, in one run.
///
/// Prints a table, and writes `target/bench/report.json`. Needs a nats-server: the one that `NATS_SERVER` names, else
/// the first on `PATH`.
#[derive(Parser)]
#[command(name = "micro-benches", bin_name = "cargo xtask bench --")]
struct Args {
    /// Runs this case only; may be given several times.
    #[arg(long, value_name = "ID")]
    only: Vec<String>,
    /// How many rounds each side plays.
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// How long one round of one side lasts, in seconds.
    #[arg(long, value_name = "S", default_value_t = 1.0, value_parser = seconds)]
    seconds: f64,
    /// Three rounds of 0.2 s: shows that everything runs, and little else.
    #[arg(long, conflicts_with_all = ["rounds", "seconds"])]
    quick: bool,
    /// Plays one side only, for a profiler to watch; writes no report.
    #[arg(long, value_name = "SIDE", requires = "only")]
    alone: Option<Who>,
    /// Runs no case, but calls, streams and events at half of the maximum load for so many minutes, and fails when
    /// memory grows.
    #[arg(long, value_name = "MINUTES", value_parser = minutes, conflicts_with_all = ["only", "rounds", "seconds", "quick", "alone", "list"])]
    soak: Option<f64>,
    /// Prints the ids of the cases, and runs none.
    #[arg(long)]
    list: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<()> {
    let cases = chosen(&args.only)?;
    if args.list {
        for case in &cases {
            println!("{}", case.id);
        }
        return Ok(());
    }
    let server = NatsServer::start().await?;
    if let Some(minutes) = args.soak {
        return soak(server.url(), minutes).await;
    }
    let plan = args.plan(&server);
    let threads = Threads::start()?;
    if let Some(who) = args.alone {
        for case in cases {
            println!(
                "{}: {}",
                case.id,
                alone(&case, who, &plan, threads.open(&case, server.url()).await?).await?
            );
        }
        return Ok(());
    }
    let mut report = Report::new(About::new(&plan, server.version()));
    let mut failed = Vec::new();
    let count = cases.len();
    for (number, case) in (1..).zip(cases) {
        eprintln!(
            "[{number}/{count}] {}: {}, {} callers",
            case.id, case.title, case.callers
        );
        let row = measure(&case, &plan, threads.open(&case, server.url()).await).await;
        report.add(row.unwrap_or_else(|error| not_run(&case, &error, &mut failed)));
    }
    println!("{report}");
    println!("written to {}", report.write()?.display());
    match failed.is_empty() {
        true => Ok(()),
        false => bail!("failed: {}", failed.join(", ")),
    }
}

async fn measure(case: &Case, plan: &Plan, opened: Result<Contest>) -> Result<Row> {
    let outcome = rounds::play(opened?, plan).await?;
    Ok(Row::new(case, &outcome))
}

/// One case that cannot run, or fails, leaves the others alone; a failure is remembered for the end.
fn not_run(case: &Case, error: &anyhow::Error, failed: &mut Vec<String>) -> Row {
    if !error.is::<NotRun>() {
        failed.push(case.id.clone());
    }
    eprintln!("  not run: {error:#}");
    Row::not_run(case, format!("{error:#}"))
}

async fn soak(url: &str, minutes: f64) -> Result<()> {
    let soak = Soak::run(url, minutes).await?;
    println!("{soak}");
    println!("written to {}", soak.write()?.display());
    match soak.is_flat() {
        true => Ok(()),
        false => bail!("memory did not stay flat"),
    }
}

async fn alone(case: &Case, who: Who, plan: &Plan, contest: Contest) -> Result<String> {
    let played = rounds::play_alone(contest, who, plan).await?;
    let (rate, cpu) = (
        played.median(|round| round.rate),
        played.median(|round| round.cpu),
    );
    Ok(format!(
        "{rate:.0} {}, {cpu:.2} us of processor time each, {}",
        case.unit, played.setup
    ))
}

/// The cases of these ids, or all.
fn chosen(ids: &[String]) -> Result<Vec<Case>> {
    let mut cases = cases::all();
    if let Some(unknown) = ids.iter().find(|id| cases.iter().all(|case| case.id != **id)) {
        let known: Vec<_> = cases.iter().map(|case| case.id.as_str()).collect();
        bail!("no case {unknown:?}; known: {}", known.join(", "));
    }
    if !ids.is_empty() {
        cases.retain(|case| ids.contains(&case.id));
    }
    Ok(cases)
}

impl Args {
    fn plan(&self, server: &NatsServer) -> Plan {
        let (rounds, seconds) = match self.quick {
            true => (3, 0.2),
            false => (usize::from(self.rounds), self.seconds),
        };
        Plan {
            rounds,
            window: Duration::from_secs_f64(seconds),
            server: server.pid(),
        }
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.05..=600.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number from 0.05 to 600".to_owned()),
    }
}

fn minutes(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(minutes) if (0.1..=1440.0).contains(&minutes) => Ok(minutes),
        _ => Err("a number from 0.1 to 1440".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_has_an_id_of_its_own() {
        let ids: Vec<_> = cases::all().into_iter().map(|case| case.id).collect();
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len(), "{ids:?}");
    }

    #[test]
    fn an_unknown_case_is_answered_with_the_known_ones() {
        let error = chosen(&["unary_carrier_pigeon".into()])
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("known: unary_1_vs_request, "), "{error}");
    }

    /// A row that is missing would not be missed: whoever compares two reports looks for ids.
    #[test]
    fn no_case_depends_on_what_was_built_or_found() {
        let ids: Vec<_> = cases::all().into_iter().map(|case| case.id).collect();
        for id in [
            "unary_64_vs_tonic",
            "unary_memory_64_vs_tarpc",
            "unary_gomicro_1_vs_gomicro",
            "stream_vs_tonic",
        ] {
            assert!(ids.iter().any(|known| known == id), "{id}");
        }
    }

    #[test]
    fn one_case_can_be_chosen() {
        let cases = chosen(&["unary_memory_64".into()]).unwrap();
        assert_eq!(cases.len(), 1);
        assert_eq!(cases[0].callers, 64);
    }
}
