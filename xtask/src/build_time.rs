//! `cargo xtask build-time`: what a service adds to a build.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::process;

/// Builds a program with a service of many methods, and the same without it, in turn, and prints what the service adds.
///
/// What they depend on is built before, in `target/build-time`; each build then follows a change of every method. The last
/// line is `N methods add N s (N to N)`: the median of the rounds, the least and the most.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many methods, each with types of its own.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    methods: u32,
    /// How often each program is built.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let folder = process::target().join("build-time");
    fs::create_dir_all(folder.join("src")).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::copy(process::root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
    fs::write(folder.join("Cargo.toml"), manifest(&process::root()))?;
    build(&folder, &program(args.methods, true, 0))?;
    let mut added = Vec::new();
    for round in 1..=args.rounds {
        let with = build(&folder, &program(args.methods, true, round))?;
        let without = build(&folder, &program(args.methods, false, round))?;
        let more = with.as_secs_f64() - without.as_secs_f64();
        println!("round {round}: {with:.1?} with the service, {without:.1?} without: {more:.1} s");
        added.push(more);
    }
    added.sort_by(f64::total_cmp);
    let (least, median, most) = (added[0], added[added.len() / 2], added[added.len() - 1]);
    println!(
        "{} methods add {median:.1} s ({least:.1} to {most:.1})",
        args.methods
    );
    Ok(())
}

/// How long it takes to build the program with this source.
fn build(folder: &Path, source: &str) -> Result<Duration> {
    fs::write(folder.join("src/main.rs"), source)?;
    let mut command = process::cargo(["build", "--quiet"]);
    command
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("target"));
    let begun = Instant::now();
    process::capture(&mut command)?;
    Ok(begun.elapsed())
}

fn manifest(root: &Path) -> String {
    let micro = root.join("micro");
    format!(
        "[package]\nname = \"build-time\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[workspace]\n\n\
         [dependencies]\nmicro = {{ path = {micro:?} }}\nserde = {{ version = \"1\", features = [\"derive\"] }}\n\
         tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }}\n"
    )
}

/// The program; its methods differ from round to round.
fn program(methods: u32, serves: bool, round: u32) -> String {
    let mut source = String::from("use micro::prelude::*;\nuse serde::{Deserialize, Serialize};\n\n");
    for n in 0..methods {
        let _ = writeln!(
            source,
            "#[derive(Debug, Serialize, Deserialize)]\npub struct Req{n} {{ pub name: String, pub count: u32 }}\n\
             #[derive(Debug, Serialize, Deserialize)]\npub struct Res{n} {{ pub text: String, pub size: u64 }}"
        );
    }
    if serves {
        source.push_str(&service(methods, round));
    }
    let served = if serves {
        ".serve(ShopServer::new(Mine))"
    } else {
        ""
    };
    let _ = writeln!(
        source,
        "#[tokio::main]\nasync fn main() -> micro::Result<()> {{\n    Service::from_args(\"shop-{round}\")?{served}.run().await\n}}"
    );
    source
}

fn service(methods: u32, round: u32) -> String {
    let (mut declared, mut defined) = (String::new(), String::new());
    for n in 0..methods {
        let head = format!("async fn call{n}(&self, _ctx: &Context, req: Req{n}) -> Result<Res{n}, Status>");
        let _ = writeln!(declared, "    /// Call {n} of round {round}.\n    {head};");
        let _ = writeln!(
            defined,
            "    {head} {{\n        Ok(Res{n} {{ text: req.name + \"{round}\", size: u64::from(req.count) }})\n    }}"
        );
    }
    format!(
        "/// Many methods.\n#[micro::service]\npub trait Shop {{\n{declared}}}\n\nstruct Mine;\n\nimpl Shop for Mine {{\n{defined}}}\n\n"
    )
}
