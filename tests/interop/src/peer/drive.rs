//! Commands that come as JSON lines, and their answers: the same as `drive/` does for the Go peers.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::task::JoinSet;

type Command = Arc<dyn Fn(Value) -> BoxFuture<'static, Result<Value>> + Send + Sync>;

/// The commands by name.
pub(super) struct Drive {
    commands: HashMap<&'static str, Command>,
}

/// Arguments of which there are none.
#[derive(Deserialize)]
pub(super) struct None {}

/// Tells of things that happen. Cloning is cheap.
#[derive(Clone)]
pub(super) struct Emitter;

#[derive(Deserialize)]
struct Line {
    id: u64,
    #[serde(rename = "do")]
    command: String,
    #[serde(default)]
    with: Value,
}

impl Drive {
    pub(super) fn new() -> Self {
        Drive {
            commands: HashMap::new(),
        }
    }

    pub(super) fn emitter(&self) -> Emitter {
        Emitter
    }

    /// Enters a command: its arguments are decoded, its result is encoded.
    pub(super) fn on<A, R, F, Fut>(&mut self, name: &'static str, run: F)
    where
        A: DeserializeOwned,
        R: Serialize,
        F: Fn(A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R>> + Send + 'static,
    {
        let command = move |with: Value| -> BoxFuture<'static, Result<Value>> {
            let with = if with.is_null() { json!({}) } else { with };
            match serde_json::from_value(with).context(name) {
                Ok(args) => {
                    let work = run(args);
                    Box::pin(async move { Ok(serde_json::to_value(work.await?)?) })
                }
                Err(error) => Box::pin(std::future::ready(Err(error))),
            }
        };
        self.commands.insert(name, Arc::new(command));
    }

    /// Serves commands, side by side, until the input ends.
    pub(super) async fn run(self) -> Result<()> {
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        let mut running = JoinSet::new();
        while let Some(line) = lines.next_line().await? {
            let line: Line = serde_json::from_str(&line).with_context(|| format!("not a command: {line}"))?;
            let command = self.commands.get(line.command.as_str()).cloned();
            running.spawn(serve(line, command));
            while running.try_join_next().is_some() {}
        }
        Ok(())
    }
}

async fn serve(line: Line, command: Option<Command>) {
    let Line {
        id,
        command: name,
        with,
    } = line;
    let result = match command {
        Some(command) => command(with).await,
        None => Err(anyhow::anyhow!("unknown command {name}")),
    };
    write(&match result {
        Ok(result) => json!({ "id": id, "result": result }),
        Err(error) => json!({ "id": id, "error": format!("{error:#}") }),
    });
}

impl Emitter {
    /// Tells of something that happened.
    pub(super) fn emit(&self, name: &str, data: Value) {
        write(&json!({ "event": name, "data": data }));
    }
}

/// Whole lines: standard output is locked for each.
fn write(line: &Value) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        // Whoever drove this peer is gone.
        std::process::abort();
    }
}
