//! `cargo xtask guarantees`: the tests that the pages of guarantees and limits name exist, and run with all others.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use clap::{Command, CommandFactory};

use crate::process;

mod page;
mod tests_of;

use page::Proof;

struct Page {
    path: &'static str,
    /// Whether each row is a promise, which something has to show.
    promises: bool,
}

const PAGES: [Page; 2] = [
    Page {
        path: "docs/guarantees.md",
        promises: true,
    },
    Page {
        path: "docs/limits.md",
        promises: false,
    },
];

/// A page with fewer proofs was not understood.
const FEWEST: usize = 11;

/// Folders that hold no tests of ours.
const PASSED_OVER: &[&str] = &["target", "node_modules", "fuzz"];

/// Fails when a promise names no proof, or a page one that does not exist.
pub(crate) fn run<C: CommandFactory>() -> Result<()> {
    let mut known = HashMap::new();
    read_folder(&process::root(), &mut known)?;
    let commands = C::command();
    for page in &PAGES {
        check(page, &known, &commands)?;
    }
    Ok(())
}

fn check(page: &Page, known: &HashMap<String, bool>, commands: &Command) -> Result<()> {
    let path = page.path;
    let text =
        fs::read_to_string(process::root().join(path)).with_context(|| format!("cannot read {path}"))?;
    let rows = page::rows(&text);
    let mut wrong: Vec<String> = Vec::new();
    for row in &rows {
        if page.promises && row.proofs.is_empty() {
            wrong.push(format!("{path}:{}: nothing shows it", row.line));
        }
        let bad = row
            .proofs
            .iter()
            .filter_map(|proof| fault(proof, known, commands));
        wrong.extend(bad.map(|bad| format!("{path}:{}: {bad}", row.line)));
    }
    let proofs: usize = rows.iter().map(|row| row.proofs.len()).sum();
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    if proofs < FEWEST {
        bail!("{path} names hardly any tests");
    }
    println!("{path}: {} rows, {proofs} proofs, all there", rows.len());
    Ok(())
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
