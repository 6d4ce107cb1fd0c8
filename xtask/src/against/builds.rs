//! The benchmarks of a commit, and of the files as they are now: two programs that were built alike.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process;

const PACKAGE: &str = "micro-benches";

/// What a program is built of.
pub(super) enum Version {
    /// This commit, by its whole name.
    Commit(String),
    /// The files as they are now.
    Files,
}

impl Version {
    /// A commit, by whatever git understands.
    pub(super) fn of(rev: &str) -> Result<Self> {
        let name = format!("{rev}^{{commit}}");
        let commit = git(["rev-parse", "--verify", "--end-of-options", &name]);
        commit
            .map(Version::Commit)
            .with_context(|| format!("no commit {rev:?}"))
    }

    /// A short name and a subject; of files, those of the commit they came from.
    pub(super) fn described(&self) -> Result<String> {
        let subject = |commit| git(["log", "-1", "--format=%h %s", commit]);
        match self {
            Version::Commit(commit) => subject(commit),
            Version::Files if git(["status", "--porcelain"])?.is_empty() => subject("HEAD"),
            Version::Files => Ok(format!("{}, and what changed since", subject("HEAD")?)),
        }
    }

    /// The program; of a commit that was built before, it is not built again.
    pub(super) fn program(&self) -> Result<PathBuf> {
        let Version::Commit(commit) = self else {
            let program = folder().join("files").join(PACKAGE);
            build(&process::root(), &program)?;
            return Ok(program);
        };
        let program = folder().join(format!("{commit}-{}", compiler()?)).join(PACKAGE);
        if !program.exists() {
            build(&tree(commit)?, &program)
                .with_context(|| format!("the benchmarks of {commit} cannot be built"))?;
        }
        Ok(program)
    }
}

fn folder() -> PathBuf {
    process::target().join("against")
}

/// Both in one folder of builds, so that what they depend on is built once; the program is copied out of it.
fn build(tree: &Path, program: &Path) -> Result<()> {
    let builds = folder().join("build");
    let mut command = process::cargo(["build", "--profile", "bench", "--locked", "--package", PACKAGE]);
    command.current_dir(tree).env("CARGO_TARGET_DIR", &builds);
    process::run(&mut command)?;
    if let Some(folder) = program.parent() {
        fs::create_dir_all(folder)?;
    }
    // Under another name first: a copy that was cut off must not pass for a program.
    let copy = program.with_extension("part");
    // Where cargo puts what it builds with the profile `bench`, which older commits have from cargo itself.
    fs::copy(builds.join("release").join(PACKAGE), &copy)?;
    Ok(fs::rename(&copy, program)?)
}

/// The files of a commit, in a worktree. It stays, because cargo then builds only what differs from the last commit.
fn tree(commit: &str) -> Result<PathBuf> {
    let tree = folder().join("tree");
    if tree.join(".git").exists() {
        git_in(&tree, ["checkout", "--quiet", "--force", "--detach", commit])?;
    } else {
        let path = tree.display().to_string();
        // By force, since git still knows of a tree that was removed with its folder.
        git(["worktree", "add", "--quiet", "--force", "--detach", &path, commit])?;
    }
    Ok(tree)
}

/// Its version: what another compiler built does not compare.
fn compiler() -> Result<String> {
    let output = process::capture(Command::new("rustc").arg("--version"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.split(' ').nth(1).unwrap_or("unknown").to_owned())
}

fn git<'a>(args: impl IntoIterator<Item = &'a str>) -> Result<String> {
    git_in(&process::root(), args)
}

fn git_in<'a>(folder: &Path, args: impl IntoIterator<Item = &'a str>) -> Result<String> {
    let output = process::capture(Command::new("git").current_dir(folder).args(args))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
