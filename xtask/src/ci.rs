//! `cargo xtask ci`: what CI runs, in its order.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::builder::PossibleValuesParser;

use crate::process;

/// Runs what CI runs, and stops at the first step that fails.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Runs this step alone.
    #[arg(long, value_name = "STEP", value_parser = PossibleValuesParser::new(STEPS.iter().map(|step| step.name)))]
    only: Option<String>,
}

/// One step: a command line of cargo, so that it can be repeated by hand as it is shown.
struct Step {
    name: &'static str,
    args: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
}

/// In this order, so that what is wrong most often is said first.
const STEPS: &[Step] = &[
    Step {
        name: "format",
        args: &["fmt", "--all", "--check"],
        environment: &[],
    },
    Step {
        name: "clippy",
        args: &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
        environment: &[],
    },
    // The benchmarks' peers are built by this step alone: who tests has no use for them.
    Step {
        name: "peers",
        args: &[
            "clippy",
            "--package",
            "micro-benches",
            "--features",
            "peers",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
        environment: &[],
    },
    Step {
        name: "docs",
        args: &[
            "doc",
            "--workspace",
            "--no-deps",
            "--features",
            "micro/testing,micro/otel",
        ],
        environment: &[("RUSTDOCFLAGS", "-D warnings")],
    },
    Step {
        name: "floors",
        args: &["xtask", "floors"],
        environment: &[],
    },
    Step {
        name: "guarantees",
        args: &["xtask", "guarantees"],
        environment: &[],
    },
    Step {
        name: "test",
        args: &["xtask", "test"],
        environment: &[],
    },
    // What all backends stand on, on each promised server; the whole, by hand: `cargo xtask matrix`.
    Step {
        name: "servers",
        args: &["xtask", "matrix", "--package", "nats-common"],
        environment: &[],
    },
    // The long form, by hand: `cargo xtask chaos restart`.
    Step {
        name: "restarts",
        args: &[
            "xtask",
            "chaos",
            "restart",
            "--calls",
            "100000",
            "--restarts",
            "12",
        ],
        environment: &[],
    },
    // The long form, by hand: `cargo xtask chaos`.
    Step {
        name: "faults",
        args: &["xtask", "chaos", "--seed", "1", "--minutes", "2"],
        environment: &[],
    },
    // Fails where there is no Go: a step that is skipped proves nothing.
    Step {
        name: "interop",
        args: &["xtask", "interop", "--jobs", "3"],
        environment: &[("CI", "true")],
    },
];

impl Step {
    fn command(&self) -> Command {
        let mut command = process::cargo(self.args);
        command.envs(self.environment.iter().copied());
        command
    }

    fn run(&self) -> Result<Duration> {
        eprintln!("== {}", self.name);
        let start = Instant::now();
        process::run(&mut self.command()).with_context(|| {
            let repeat = process::shown(&self.command());
            format!(
                "step {} failed after {:.1?}; repeat it with: {repeat}\n  because",
                self.name,
                start.elapsed()
            )
        })?;
        let took = start.elapsed();
        eprintln!("== {} passed in {took:.1?}", self.name);
        Ok(took)
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let start = Instant::now();
    let chosen = |step: &&Step| args.only.as_deref().is_none_or(|only| only == step.name);
    let mut passed = Vec::new();
    for step in STEPS.iter().filter(chosen) {
        passed.push(format!("{} {:.1?}", step.name, step.run()?));
    }
    eprintln!("== ci passed in {:.1?}: {}", start.elapsed(), passed.join(", "));
    Ok(())
}
