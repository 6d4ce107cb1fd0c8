//! Under which circumstances a run was made, and how to repeat it.

use std::fmt;
use std::process::Command;
use std::{env, fs, thread};

use crate::rounds::Plan;

/// What one must know to judge a figure.
pub(crate) struct About {
    command: String,
    commit: Option<String>,
    cores: usize,
    server: String,
    plan: String,
    load: Option<String>,
}

/// What was built in, as `Cargo.lock` and the Go peer's `go.mod` have it.
pub(crate) const VERSIONS: &str = env!("BENCH_VERSIONS");

impl About {
    /// At the start of a run.
    pub(crate) fn new(plan: &Plan, server: &str) -> Self {
        let args: Vec<_> = env::args().skip(1).collect();
        About {
            command: format!("cargo xtask bench -- {}", args.join(" ")),
            commit: commit(),
            cores: thread::available_parallelism().map_or(1, usize::from),
            server: server.to_owned(),
            plan: format!("{} rounds of {:?} a side, in turn", plan.rounds, plan.window),
            load: load(),
        }
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let commit = self.commit.as_deref().unwrap_or("unknown");
        writeln!(f, "repeat with `{}` at commit {commit}", self.command.trim_end())?;
        writeln!(
            f,
            "{} cores ({}, {}), {}, {VERSIONS}",
            self.cores,
            env::consts::OS,
            env::consts::ARCH,
            self.server
        )?;
        write!(f, "{}", self.plan)?;
        if let (Some(before), Some(now)) = (&self.load, load()) {
            write!(
                f,
                "; load of the machine over a minute: {before} at the start, {now} at the end"
            )?;
        }
        Ok(())
    }
}

/// The average number of tasks that want a processor, over the last minute. Linux only.
fn load() -> Option<String> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next().map(str::to_owned)
}

fn commit() -> Option<String> {
    let output = Command::new("git")
        .args([
            "-C",
            env!("CARGO_MANIFEST_DIR"),
            "describe",
            "--always",
            "--dirty",
        ])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
