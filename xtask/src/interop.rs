//! `cargo xtask interop`: every way in which a Rust and a go-micro service can meet.

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::{nats, process};

mod guide;

/// Builds the Go peers and tries every cell of the matrix against a real nats-server.
///
/// Without Go it ends with exit code 3, and in CI (the variable CI is set) with 1.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Passed on to the runner; `--help` after `--` lists what it takes.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARG")]
    args: Vec<String>,
}

/// The variable that names the peer built on go-micro v5.
pub(crate) const V5: &str = "MICRO_INTEROP_V5";

/// go-micro's own command line tool.
const TOOL: &str = "github.com/micro/micro/v5";

/// There is no Go here, so nothing was tried.
#[derive(Debug)]
pub(crate) struct NoGo;

impl NoGo {
    /// What a program ends with that could not try.
    pub(crate) const EXIT_CODE: u8 = 3;
}

impl fmt::Display for NoGo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "there is no `go` on PATH, so nothing was tried: install Go 1.24 or later (https://go.dev/dl)",
        )
    }
}

impl std::error::Error for NoGo {}

pub(crate) fn run(args: &Args) -> Result<()> {
    if !has_go() {
        let error = anyhow::Error::from(NoGo);
        // A step that CI skips proves nothing.
        return Err(match env::var_os("CI") {
            Some(_) => anyhow::anyhow!("{error}; in CI it must run"),
            None => error,
        });
    }
    let server = nats::ensure()?;
    let (v5, v2, cli, guide) = (
        peer("v5")?,
        peer("v2")?,
        built("cli", TOOL, "micro")?,
        guide::peer()?,
    );
    process::run(
        process::cargo(["run", "--package", "micro-interop", "--"])
            .args(&args.args)
            .env(nats::VARIABLE, server)
            .env(V5, v5)
            .env("MICRO_INTEROP_V2", v2)
            .env("MICRO_INTEROP_CLI", cli)
            .env("MICRO_INTEROP_GUIDE", guide),
    )
}

pub(crate) fn has_go() -> bool {
    !process::on_path("go").is_empty()
}

/// Builds the peer of one generation.
pub(crate) fn peer(generation: &str) -> Result<PathBuf> {
    built(generation, ".", generation)
}

/// Builds a package of Go by the versions of a module of ours.
fn built(module: &str, package: &str, program: &str) -> Result<PathBuf> {
    build(module, package, program, &[])
}

fn build(module: &str, package: &str, program: &str, args: &[&OsStr]) -> Result<PathBuf> {
    let program = folder().join(program);
    process::run(
        Command::new("go")
            .current_dir(process::root().join("tests/interop").join(module))
            .args(["build", "-mod=readonly", "-o"])
            .arg(&program)
            .args(args)
            .arg(package),
    )?;
    Ok(program)
}

/// What is built of Go.
fn folder() -> PathBuf {
    process::target().join("interop")
}
