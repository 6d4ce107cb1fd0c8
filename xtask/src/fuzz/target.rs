//! One target: how it is run, and what came of it.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::folder;
use crate::{nats, process};

/// The longest input, in bytes: beyond it nothing new happens but more of the same.
const MAX_LEN: usize = 16 << 10;

/// How long one input may take, in seconds. It takes microseconds.
const TIMEOUT: u32 = 30;

/// How much memory the process may use, in MiB.
const MEMORY: u32 = 1024;

/// One target.
pub(super) struct Target {
    name: String,
    program: PathBuf,
}

/// What came of one target.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome {
    name: String,
    runs: u64,
    /// Edges between branches that were taken.
    edges: u64,
    /// How many inputs were kept, each of which takes a way of its own.
    corpus: u64,
    pub(super) finding: Option<Finding>,
}

/// What went wrong, and with which input.
#[derive(Debug, PartialEq)]
pub(super) struct Finding {
    input: PathBuf,
    said: String,
}

impl Target {
    pub(super) fn new(name: &str, host: &str) -> Self {
        Target {
            name: name.to_owned(),
            program: folder().join(host).join("release").join(name),
        }
    }

    /// Runs it for so long, or until it finds something.
    pub(super) fn run(&self, time: Duration, server: &Path) -> Result<Outcome> {
        let (corpus, findings) = (self.folder("corpus")?, self.folder("findings")?);
        for old in fs::read_dir(&findings)? {
            fs::remove_file(old?.path())?;
        }
        let said = self.start(time, server, &corpus, &findings)?;
        fs::write(findings.with_extension("log"), &said)?;
        let mut outcome = Outcome::of(&self.name, &said);
        let input = fs::read_dir(&findings)?.filter_map(|entry| Some(entry.ok()?.path()));
        // An input that is slow, and no more, is told and passed over.
        let slow = |path: &PathBuf| path.to_string_lossy().contains("/slow-unit-");
        let input = input.filter(|path| !slow(path)).min();
        outcome.finding = input.map(|input| Finding {
            input,
            said: complaint(&said),
        });
        Ok(outcome)
    }

    fn start(&self, time: Duration, server: &Path, corpus: &Path, findings: &Path) -> Result<String> {
        let inputs = process::root().join("fuzz");
        let mut command = Command::new(&self.program);
        command.arg(corpus).arg(inputs.join("seeds").join(&self.name));
        // Zero would be without end.
        command.arg(format!("-max_total_time={}", time.as_secs().max(1)));
        command.arg(format!("-artifact_prefix={}/", findings.display()));
        command.args([format!("-max_len={MAX_LEN}"), format!("-timeout={TIMEOUT}")]);
        command.args([
            format!("-rss_limit_mb={MEMORY}"),
            "-print_final_stats=1".to_owned(),
        ]);
        let words = inputs.join("dictionaries").join(format!("{}.dict", self.name));
        if words.is_file() {
            command.arg(format!("-dict={}", words.display()));
        }
        let text = process::shown(&command);
        eprintln!("$ {text}");
        command.env(nats::VARIABLE, server).stdin(Stdio::null());
        let output = command.output().with_context(|| format!("cannot run `{text}`"))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if !said.contains("INITED") && output.status.success() {
            bail!("`{text}` tried nothing: {}", said.trim());
        }
        Ok(said)
    }

    fn folder(&self, kind: &str) -> Result<PathBuf> {
        let folder = folder().join(kind).join(&self.name);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }
}

impl Outcome {
    /// Reads what libFuzzer says at the end.
    fn of(name: &str, said: &str) -> Self {
        let status = said.lines().rev().find(|line| line.contains(" cov: "));
        let number = |key: &str| {
            let (_, behind) = status?.split_once(key)?;
            let digits = behind.trim_start().split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse().ok()
        };
        let runs = said
            .lines()
            .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
        let counted = status.and_then(|line| line.strip_prefix('#')?.split_whitespace().next());
        Outcome {
            name: name.to_owned(),
            runs: runs
                .or(counted)
                .and_then(|runs| runs.trim().parse().ok())
                .unwrap_or_default(),
            edges: number(" cov: ").unwrap_or_default(),
            corpus: number(" corp: ").unwrap_or_default(),
            finding: None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outcome {
            name,
            runs,
            edges,
            corpus,
            finding,
        } = self;
        write!(
            f,
            "{name:21} {runs:>12} runs {edges:>6} edges {corpus:>6} inputs kept, "
        )?;
        match finding {
            None => f.write_str("nothing found"),
            Some(Finding { input, said }) => write!(f, "FOUND {}\n  {said}", input.display()),
        }
    }
}

/// The panic and its words, or what libFuzzer itself complains of.
fn complaint(said: &str) -> String {
    let panic = said
        .lines()
        .skip_while(|line| !line.contains("panicked at"))
        .take(4);
    let panic: Vec<_> = panic
        .take_while(|line| !line.starts_with("stack backtrace"))
        .collect();
    let summary = || said.lines().find(|line| line.starts_with("SUMMARY:"));
    match panic.is_empty() {
        true => summary().unwrap_or("it ended without a word").to_owned(),
        false => panic.join("\n  "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: &str = "INFO: Seed: 1\n#2\tINITED cov: 7 ft: 7 corp: 1/1b exec/s: 0 rss: 27Mb\n\
        #95276\tDONE   cov: 1459 ft: 3272 corp: 1001/101Kb lim: 365 exec/s: 26831 rss: 29Mb\n\
        Done 95276 runs in 21 second(s)\nstat::number_of_executed_units: 95276\n";

    const ILL: &str = "#2\tINITED cov: 7 ft: 7 corp: 1/1b exec/s: 0 rss: 27Mb\n\
        thread '<unnamed>' (1) panicked at micro-core/src/fuzzing.rs:78:9:\nassertion failed: the words\n\
        stack backtrace:\n   0: begin\nSUMMARY: libFuzzer: deadly signal\n";

    #[test]
    fn what_was_tried_is_read_from_the_last_words() {
        let outcome = Outcome::of("names", WELL);
        assert_eq!(
            (outcome.runs, outcome.edges, outcome.corpus),
            (95_276, 1459, 1001)
        );
        assert!(outcome.to_string().ends_with("nothing found"), "{outcome}");
        assert_eq!(Outcome::of("names", ILL).runs, 2);
    }

    #[test]
    fn a_finding_says_what_and_with_what() {
        let said = "thread '<unnamed>' (1) panicked at micro-core/src/fuzzing.rs:78:9:\n  assertion failed: the words";
        assert_eq!(complaint(ILL), said);
        assert_eq!(
            complaint("SUMMARY: libFuzzer: out-of-memory"),
            "SUMMARY: libFuzzer: out-of-memory"
        );
        let finding = Some(Finding {
            input: "crash-1".into(),
            said: "why".to_owned(),
        });
        let outcome = Outcome {
            finding,
            ..Outcome::of("names", ILL)
        };
        assert!(outcome.to_string().ends_with("FOUND crash-1\n  why"), "{outcome}");
    }
}
