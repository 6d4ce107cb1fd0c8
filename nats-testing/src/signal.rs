//! Signals to a process of ours.

use std::fs;
use std::time::Instant;

use tokio::process::Command;
use tokio::time::sleep;

use super::{LIMIT, POLL};

/// Sends a signal by its name without `SIG`.
///
/// By the `kill` that every shell has built in: a system call would be `unsafe` here, and the program of this name
/// is missing on small systems.
pub(super) async fn send(signal: &str, pid: u32) {
    let script = format!("kill -{signal} {pid}");
    let status = Command::new("sh").args(["-c", &script]).status().await;
    let status = status.expect("a shell");
    assert!(status.success(), "`{script}` failed ({status})");
}

/// Waits until a process that was sent SIGSTOP has stopped: the signal is delivered in its own time.
pub(super) async fn until_stopped(pid: u32) {
    let start = Instant::now();
    while state(pid).is_some_and(|state| state != "T") {
        assert!(
            start.elapsed() < LIMIT,
            "process {pid} did not stop within {LIMIT:?}"
        );
        sleep(POLL).await;
    }
}

/// The state of a process in one letter, where the system tells it in `/proc`.
fn state(pid: u32) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it is in parentheses and may itself hold white space.
    let (_, rest) = text.rsplit_once(')')?;
    rest.split_whitespace().next().map(str::to_owned)
}
