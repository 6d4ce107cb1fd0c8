//! A peer in a process of its own, driven by lines. `README.md` says what it understands.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::expect::Outcome;

/// How many events of one name wait to be looked at; no cell causes as many.
const ROOM: usize = 100_000;

/// How long an expected event may take.
const EVENT: Duration = Duration::from_secs(10);

/// A process. Dropping it kills it.
pub(crate) struct Peer {
    pub(crate) is_go: bool,
    stdin: tokio::sync::Mutex<ChildStdin>,
    desk: Arc<Desk>,
    last: AtomicU64,
    reader: JoinHandle<()>,
    child: Child,
}

/// Who waits for what.
#[derive(Default)]
struct Desk {
    answers: Mutex<HashMap<u64, oneshot::Sender<Result<Value>>>>,
    events: Mutex<HashMap<String, mpsc::Sender<Value>>>,
}

/// Events of one name, from the moment they were asked for.
pub(crate) struct Events(mpsc::Receiver<Value>);

impl Peer {
    pub(super) async fn start(program: &Path, args: &[&str], is_go: bool) -> Result<Self> {
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(told())
            // A stopped process goes on when nobody watches over its group, as may happen to that of the runner.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let stdin = child.stdin.take().context("standard input")?;
        let stdout = child.stdout.take().context("standard output")?;
        let desk = Arc::new(Desk::default());
        let peer = Peer {
            is_go,
            stdin: tokio::sync::Mutex::new(stdin),
            reader: tokio::spawn(desk.clone().read(stdout)),
            desk,
            last: AtomicU64::new(0),
            child,
        };
        peer.ask("about", json!({})).await?;
        Ok(peer)
    }

    /// Has the peer do something, and waits for its answer.
    pub(crate) async fn ask(&self, command: &str, with: Value) -> Result<Value> {
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let (answer, answered) = oneshot::channel();
        self.desk.answers.lock().insert(id, answer);
        let line = format!("{}\n", json!({ "id": id, "do": command, "with": with }));
        self.stdin.lock().await.write_all(line.as_bytes()).await?;
        let answer = answered.await.map_err(|_| anyhow!("the peer is gone"));
        answer
            .and_then(|answer| answer)
            .with_context(|| format!("{} peer, {command}", self.name()))
    }

    /// Collects events of this name from now on.
    pub(crate) fn events(&self, name: &str) -> Events {
        let (sender, receiver) = mpsc::channel(ROOM);
        self.desk.events.lock().insert(name.to_owned(), sender);
        Events(receiver)
    }

    /// Starts a service, and returns its address and id.
    pub(crate) async fn serve(&self, name_here: &str, service: &str, more: Value) -> Result<Value> {
        let args = json!({ "as": name_here, "name": service, "version": "1.0.0" });
        self.ask("serve", merged(args, more)).await
    }

    /// Stops a service.
    pub(crate) async fn stop(&self, name_here: &str) -> Result<Value> {
        self.ask("stop", json!({ "as": name_here })).await
    }

    /// Calls a service.
    pub(crate) async fn call(
        &self,
        service: &str,
        endpoint: &str,
        body: Value,
        more: Value,
    ) -> Result<Outcome> {
        let args = json!({ "service": service, "endpoint": endpoint, "body": body, "timeout_ms": 5000 });
        let answer = self.ask("call", merged(args, more)).await?;
        Ok(serde_json::from_value(answer)?)
    }

    /// Stops the process where it is: it takes what comes, and does nothing any more.
    pub(crate) async fn freeze(&self) -> Result<()> {
        let id = self.child.id().context("the peer is gone")?;
        let stopped = Command::new("kill")
            .args(["-STOP", &id.to_string()])
            .status()
            .await?;
        ensure!(stopped.success(), "kill -STOP: {stopped}");
        Ok(())
    }

    pub(crate) fn name(&self) -> &'static str {
        if self.is_go { "Go" } else { "Rust" }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Desk {
    async fn read(self: Arc<Self>, stdout: ChildStdout) {
        let mut lines = BufReader::new(stdout).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if let Err(error) = self.sort(&line) {
                eprintln!("a peer said {line:?}: {error:#}");
            }
        }
        // Whoever still waits learns that nobody will answer.
        self.answers.lock().clear();
    }

    fn sort(&self, line: &str) -> Result<()> {
        let mut said: Value = serde_json::from_str(line)?;
        if let Some(name) = said["event"].as_str() {
            let listener = self.events.lock().get(name).cloned();
            if let Some(listener) = listener {
                // Full or gone: nobody looks.
                let _ = listener.try_send(said["data"].take());
            }
            return Ok(());
        }
        let id = said["id"].as_u64().context("neither an answer nor an event")?;
        let waiting = self.answers.lock().remove(&id).context("nobody asked")?;
        let answer = match said["error"].as_str().filter(|error| !error.is_empty()) {
            Some(error) => Err(anyhow!("{error}")),
            None => Ok(said["result"].take()),
        };
        // Whoever asked has given up.
        let _ = waiting.send(answer);
        Ok(())
    }
}

impl Events {
    /// The next event.
    pub(crate) async fn next(&mut self) -> Result<Value> {
        self.next_within(EVENT).await
    }

    /// The next event, if it comes soon enough.
    pub(crate) async fn next_within(&mut self, limit: Duration) -> Result<Value> {
        match timeout(limit, self.0.recv()).await {
            Ok(Some(event)) => Ok(event),
            Ok(None) => bail!("the peer is gone"),
            Err(_) => bail!("no event within {limit:?}"),
        }
    }

    /// The first event for which this answers true.
    pub(crate) async fn find(&mut self, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let found = async {
            loop {
                let event = self.next().await?;
                if wanted(&event) {
                    return Ok(event);
                }
            }
        };
        timeout(EVENT, found)
            .await
            .unwrap_or_else(|_| Err(anyhow!("no such event within {EVENT:?}")))
    }

    /// The events that have come already.
    pub(crate) fn so_far(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}

fn merged(mut args: Value, more: Value) -> Value {
    if let (Some(args), Value::Object(more)) = (args.as_object_mut(), more) {
        args.extend(more);
    }
    args
}

/// The logs of peers are of use to whoever looks into one cell.
fn told() -> Stdio {
    match std::env::var_os("MICRO_INTEROP_LOG") {
        Some(_) => Stdio::inherit(),
        None => Stdio::null(),
    }
}
