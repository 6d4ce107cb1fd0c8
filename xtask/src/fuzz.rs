//! `cargo xtask fuzz`: what bytes of strangers do to every decoder, and to the whole server.

use std::env;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::{nats, process};

mod target;

use target::Target;

/// Runs fuzz targets, one after the other, each until its time is over or it has found something.
///
/// They are in `fuzz/fuzz_targets`; what is found goes to `target/fuzz/findings`. Takes no nightly toolchain, but a
/// C++ compiler, which builds libFuzzer. Where there is none it ends with exit code 3, and with 1 when something is
/// found.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The targets. Default: all.
    targets: Vec<String>,
    /// How long each runs, in minutes.
    #[arg(long, default_value_t = 0.5)]
    minutes: f64,
    /// Prints the names of the targets, and ends.
    #[arg(long)]
    list: bool,
}

/// Lets libFuzzer see which branches an input takes, and what is compared with what. The compiler's backend does it, so
/// that a stable toolchain is enough; sanitizers, which need a nightly one, would find little where nothing is unsafe.
const COVERAGE: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// libFuzzer cannot be built here, so nothing was tried.
#[derive(Debug)]
pub(crate) struct NoFuzzer;

impl NoFuzzer {
    /// What a program ends with that could not try.
    pub(crate) const EXIT_CODE: u8 = 3;
}

impl fmt::Display for NoFuzzer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "libFuzzer cannot be built here, so nothing was tried: it takes Linux or macOS, and a C++ compiler as `c++` on \
             PATH or in the variable CXX",
        )
    }
}

impl std::error::Error for NoFuzzer {}

pub(crate) fn run(args: &Args) -> Result<()> {
    let names = chosen(&args.targets, known()?)?;
    if args.list {
        println!("{}", names.join("\n"));
        return Ok(());
    }
    let can_build = env::var_os("CXX").is_some() || !process::on_path("c++").is_empty();
    if !can_build || cfg!(windows) {
        return Err(NoFuzzer.into());
    }
    let time = Duration::try_from_secs_f64(60.0 * args.minutes).context("--minutes is no time")?;
    let (host, server) = (host()?, nats::ensure()?);
    build(&host, &names)?;
    let mut findings = 0;
    for name in &names {
        let outcome = Target::new(name, &host).run(time, &server)?;
        println!("{outcome}");
        findings += usize::from(outcome.finding.is_some());
    }
    println!("{} targets, {findings} findings", names.len());
    match findings {
        0 => Ok(()),
        _ => {
            bail!("a finding becomes a test: copy its input to fuzz/seeds, with a name that says what it is")
        }
    }
}

/// A folder of its own: the flags of these builds would undo those of all others.
fn folder() -> PathBuf {
    process::target().join("fuzz")
}

fn build(host: &str, names: &[String]) -> Result<()> {
    let mut command = process::cargo(["build", "--release", "--manifest-path", "fuzz/Cargo.toml"]);
    command.args(["--target", host, "--target-dir"]).arg(folder());
    for name in names {
        command.args(["--bin", name]);
    }
    process::run(command.env("RUSTFLAGS", COVERAGE.join(" ")))
}

/// What this machine is to the compiler. A build that names it leaves build scripts and macros as they are.
fn host() -> Result<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = process::capture(std::process::Command::new(rustc).arg("-vV"))?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say what its host is")?.to_owned())
}

/// The targets that there are, in the order of their names.
fn known() -> Result<Vec<String>> {
    let folder = process::root().join("fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

fn chosen(wanted: &[String], known: Vec<String>) -> Result<Vec<String>> {
    if let Some(name) = wanted.iter().find(|name| !known.contains(name)) {
        bail!("unknown target {name:?}; known: {}", known.join(", "));
    }
    Ok(match wanted {
        [] => known,
        wanted => wanted.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_a_binary_and_inputs() {
        let manifest = fs::read_to_string(process::root().join("fuzz/Cargo.toml")).unwrap();
        for name in known().unwrap() {
            assert!(
                manifest.contains(&format!("name = \"{name}\"")),
                "{name} is not in fuzz/Cargo.toml"
            );
            let seeds = process::root().join("fuzz/seeds").join(&name);
            assert!(seeds.is_dir(), "{name} has no inputs in {}", seeds.display());
        }
    }

    #[test]
    fn an_unknown_target_is_answered_with_the_known() {
        let known = || vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(chosen(&[], known()).unwrap(), known());
        assert_eq!(chosen(&["b".to_owned()], known()).unwrap(), ["b"]);
        let error = chosen(&["c".to_owned()], known()).unwrap_err().to_string();
        assert!(error.contains("known: a, b"), "{error}");
    }
}
