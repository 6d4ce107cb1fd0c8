//! go-micro's command line tool, as its users have it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::process::Command;
use tokio::time::timeout;

/// How long it may take: it waits for the registry, and for an answer.
const LIMIT: Duration = Duration::from_secs(20);

/// Runs it, and returns what it printed, errors too.
pub(super) async fn run(program: &Path, nats: &str, args: &[&str]) -> Result<String> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).kill_on_drop(true);
    for kind in ["REGISTRY", "TRANSPORT", "BROKER"] {
        command.env(format!("MICRO_{kind}"), "nats");
        command.env(format!("MICRO_{kind}_ADDRESS"), nats);
    }
    let output = timeout(LIMIT, command.output()).await;
    let output = output.context("the tool does not end")??;
    let printed = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&printed).into_owned())
}
