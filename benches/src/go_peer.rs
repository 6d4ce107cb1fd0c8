//! go-micro, in a process of its own: `tests/interop/v5`, which says in its README what it understands.

use std::ffi::OsStr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use futures::future::{BoxFuture, FutureExt};
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::load::{Sample, Side};

/// How much longer than its window a round may take.
const STRAGGLER: Duration = Duration::from_secs(20);

/// A process that calls itself. Dropping it kills it.
pub(crate) struct GoPeer {
    lines: Mutex<(ChildStdin, Lines<BufReader<ChildStdout>>)>,
    callers: usize,
    child: Child,
}

#[derive(Deserialize)]
struct Answer {
    result: Option<Measured>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Measured {
    calls: usize,
    seconds: f64,
    p50_us: f64,
}

impl GoPeer {
    /// Starts the program, to be measured with so many callers on so many threads.
    pub(crate) async fn start(program: &OsStr, url: &str, callers: usize, threads: usize) -> Result<Self> {
        let mut child = Command::new(program)
            .args(["-nats", url])
            .env("GOMAXPROCS", threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let stdin = child.stdin.take().context("standard input")?;
        let stdout = child.stdout.take().context("standard output")?;
        Ok(GoPeer {
            lines: Mutex::new((stdin, BufReader::new(stdout).lines())),
            callers,
            child,
        })
    }

    /// Whose processor time counts.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    async fn measure(&self, window: Duration) -> Result<Sample> {
        let with = json!({ "callers": self.callers, "seconds": window.as_secs_f64() });
        let line = format!("{}\n", json!({ "id": 1, "do": "bench", "with": with }));
        let mut lines = self.lines.lock().await;
        let (stdin, stdout) = &mut *lines;
        stdin.write_all(line.as_bytes()).await?;
        let answer = timeout(window + STRAGGLER, stdout.next_line()).await;
        let answer = answer.context("the Go peer does not answer")??;
        let answer: Answer = serde_json::from_str(&answer.context("the Go peer is gone")?)?;
        match (answer.result, answer.error) {
            (Some(measured), None) => sample(&measured),
            (_, error) => bail!("the Go peer failed: {}", error.unwrap_or_default()),
        }
    }
}

fn sample(measured: &Measured) -> Result<Sample> {
    ensure!(measured.calls > 0, "nothing was done within the round");
    Ok(Sample {
        count: measured.calls,
        elapsed: Duration::from_secs_f64(measured.seconds),
        p50: Some(Duration::from_secs_f64(measured.p50_us / 1e6)),
    })
}

impl Side for GoPeer {
    fn round(&self, window: Duration) -> BoxFuture<'_, Result<Sample>> {
        self.measure(window).boxed()
    }
}
