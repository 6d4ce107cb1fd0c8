//! The processes of instances: started, stopped, killed and frozen.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::instance::{Handled, READY};

/// How long a start may take, and what a stop may take beyond what it waits for by itself: failure bounds.
const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(60);

/// A process that serves. Dropping it kills it.
pub(crate) struct Instance {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Instance {
    /// Starts one, and returns once it can be called.
    pub(crate) async fn start(servers: &str, more: &[&str]) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", "--nats", servers])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // A stopped process goes on when nobody watches over its group, as may happen to that of the runner.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().context("standard output")?;
        let lines = BufReader::new(stdout).lines();
        let mut instance = Instance { child, lines };
        let ready = timeout(START, instance.lines.next_line()).await;
        let ready = ready.context("an instance did not start in time")??;
        ensure!(ready.as_deref() == Some(READY), "an instance said {ready:?}");
        Ok(instance)
    }

    /// Stops it as an operator does, and returns what it handled once it has ended.
    pub(crate) async fn stop(mut self) -> Result<Handled> {
        self.signal("TERM").await?;
        let end = async {
            let handled = self.lines.next_line().await?;
            let status = self.child.wait().await?;
            ensure!(status.success(), "an instance ended with {status}");
            let handled = handled.context("an instance told nothing of what it handled")?;
            Ok(serde_json::from_str(&handled)?)
        };
        timeout(STOP, end)
            .await
            .context("an instance did not stop in time")?
    }

    /// Stops it while it may be cut off from the servers, of which it then complains; whatever it says, it has to end.
    pub(crate) async fn stop_anyhow(mut self) -> Result<()> {
        self.signal("TERM").await?;
        let ended = timeout(STOP, self.child.wait()).await;
        ended.context("an instance did not stop in time")??;
        Ok(())
    }

    /// Kills it, and returns once it is gone.
    pub(crate) async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Memory that it has in use, in MiB.
    pub(crate) fn memory(&self) -> Result<f64> {
        memory(&self.child.id().context("the instance has ended")?.to_string())
    }

    /// Sends a signal by its name without `SIG`.
    pub(crate) async fn signal(&self, name: &str) -> Result<()> {
        let pid = self.child.id().context("the instance has ended")?;
        send(name, pid).await
    }
}

/// Memory that a process has in use, in MiB; `self` is this one. Linux only.
pub(crate) fn memory(pid: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("this needs Linux")?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let resident = resident.context("VmRSS")?.trim().trim_end_matches(" kB");
    Ok(resident.parse::<f64>()? / 1024.0)
}

/// By the `kill` that every shell has built in: a system call would be `unsafe` here.
async fn send(signal: &str, pid: u32) -> Result<()> {
    let script = format!("kill -{signal} {pid}");
    let status = Command::new("sh").args(["-c", &script]).status().await?;
    ensure!(status.success(), "`{script}` failed ({status})");
    Ok(())
}
