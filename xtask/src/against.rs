//! `cargo xtask against REV`: whether a change made it slower.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::nats;

mod builds;
mod play;
mod table;

use builds::Version;
use play::Played;
use table::{Row, Table};

/// What is measured when nothing is asked for: the unary calls.
const CASES: &[&str] = &[
    "unary_1_vs_request",
    "unary_64_vs_request",
    "unary_256_vs_request",
];

/// Measures our side of the benchmarks beside that of an earlier commit, in one run.
///
/// Builds the benchmarks of the commit, with the profile `bench`, in a git worktree below `target/against`, and those of the files as
/// they are now. Both play in turn, each time in a new process with a nats-server of its own, and who begins alternates.
/// Prints how many times as much was done now as then, and how many times as much processor time a call took: the median
/// of all pairs, the least and the most. Writes the same to `target/bench/against.md` and `against.json`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The earlier commit: whatever `git rev-parse` understands.
    #[arg(value_name = "REV")]
    rev: String,
    /// The later commit [default: the files as they are now]
    #[arg(value_name = "NOW")]
    now: Option<String>,
    /// Measures this case; may be given several times [default: unary calls of 1, 64 and 256 callers]
    #[arg(long, value_name = "ID")]
    only: Vec<String>,
    /// How often each of the two plays.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    pairs: u16,
    /// How many rounds it then plays; their median counts.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// How long a round lasts, in seconds.
    #[arg(long, value_name = "S", default_value_t = 0.5)]
    seconds: f64,
}

/// The two programs, and how each plays.
struct Match<'a> {
    args: &'a Args,
    then: PathBuf,
    now: PathBuf,
    server: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let then = Version::of(&args.rev)?;
    let now = args.now.as_deref().map_or(Ok(Version::Files), Version::of)?;
    let it = Match {
        args,
        server: nats::ensure()?,
        then: then.program()?,
        now: now.program()?,
    };
    let cases: Vec<&str> = match &args.only[..] {
        [] => CASES.to_vec(),
        only => only.iter().map(String::as_str).collect(),
    };
    let mut table = Table::new(&then.described()?, &now.described()?, load());
    for case in cases {
        table.add(it.case(case)?);
    }
    table.end(load());
    println!("{table}");
    println!("written to {}", table.write()?.display());
    Ok(())
}

impl Match<'_> {
    fn case(&self, case: &str) -> Result<Row> {
        let mut row = Row::new(case);
        for pair in 1..=self.args.pairs {
            // Whoever plays second finds the machine as the first left it.
            let (then, now) = if pair % 2 == 1 {
                let then = self.play(&self.then, case)?;
                (then, self.play(&self.now, case)?)
            } else {
                let now = self.play(&self.now, case)?;
                (self.play(&self.then, case)?, now)
            };
            row.add(then, now);
            eprintln!("{case} {pair}/{}: {}", self.args.pairs, row.last());
        }
        Ok(row)
    }

    fn play(&self, program: &Path, case: &str) -> Result<Played> {
        let (rounds, seconds) = (self.args.rounds, self.args.seconds);
        play::alone(program, &self.server, case, rounds, seconds)
            .with_context(|| format!("{case} by {}", program.display()))
    }
}

/// How many tasks wanted a processor over the last minute. Linux only.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}
