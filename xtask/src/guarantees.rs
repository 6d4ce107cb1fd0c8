//! `cargo xtask guarantees`: the tests that `docs/guarantees.md` names exist, and run with all others.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use clap::{Command, CommandFactory};

use crate::process;

mod page;
mod tests_of;

use page::Proof;

const PAGE: &str = "docs/guarantees.md";

/// Folders that hold no tests of ours.
const PASSED_OVER: &[&str] = &["target", "node_modules", "fuzz"];

/// Fails when a promise names no proof, or one that does not exist.
pub(crate) fn run<C: CommandFactory>() -> Result<()> {
    let root = process::root();
    let text = fs::read_to_string(root.join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    let mut known = HashMap::new();
    read_folder(&root, &mut known)?;
    let promises = page::promises(&text);
    let commands = C::command();
    let mut wrong: Vec<String> = Vec::new();
    for promise in &promises {
        if promise.proofs.is_empty() {
            wrong.push(format!("{PAGE}:{}: nothing shows it", promise.line));
        }
        let bad = promise
            .proofs
            .iter()
            .filter_map(|proof| fault(proof, &known, &commands));
        wrong.extend(bad.map(|bad| format!("{PAGE}:{}: {bad}", promise.line)));
    }
    let proofs: usize = promises.iter().map(|promise| promise.proofs.len()).sum();
    match (wrong.is_empty(), promises.is_empty()) {
        (true, false) => {
            println!(
                "guarantees: {} promises, {proofs} proofs, all there",
                promises.len()
            );
            Ok(())
        }
        (true, true) => bail!("{PAGE} has no promises"),
        _ => bail!("{}", wrong.join("\n")),
    }
}

/// What is wrong with a proof.
fn fault(proof: &Proof, known: &HashMap<String, bool>, commands: &Command) -> Option<String> {
    match proof {
        Proof::Test(name) => match known.get(name) {
            None => Some(format!("there is no test `{name}`")),
            Some(false) => Some(format!("`{name}` does not run with the other tests")),
            Some(true) => None,
        },
        Proof::Xtask(name) => {
            let none = commands.find_subcommand(name).is_none();
            none.then(|| format!("there is no `cargo xtask {name}`"))
        }
    }
}

/// Reads every source below a folder; each test that is found, and whether it runs with the others.
fn read_folder(folder: &Path, known: &mut HashMap<String, bool>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && !name.starts_with('.') && !PASSED_OVER.contains(&&*name) {
            read_folder(&path, known)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)?;
            for test in tests_of::source(&text, is_suite(&path)) {
                let runs = known.entry(test.name).or_insert(false);
                *runs |= test.runs;
            }
        }
    }
    Ok(())
}

/// Whether a source has clauses. The compiler tells of one that no suite lists.
fn is_suite(path: &Path) -> bool {
    let below = path.strip_prefix(process::root()).unwrap_or(path);
    below.starts_with("tests/src")
}
