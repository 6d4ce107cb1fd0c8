//! The nats-server that both sides use: started for this run, on a free port of the loopback interface.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// How long it may take to start.
const LIMIT: Duration = Duration::from_secs(10);

/// A running server. Dropping it kills it and removes its folder.
pub(crate) struct NatsServer {
    child: Child,
    folder: PathBuf,
    url: String,
    version: String,
}

impl NatsServer {
    /// Starts the program that `NATS_SERVER` names, else the first `nats-server` on `PATH`.
    pub(crate) async fn start() -> Result<Self> {
        let program = env::var_os("NATS_SERVER").filter(|value| !value.is_empty());
        let program = PathBuf::from(program.unwrap_or_else(|| "nats-server".into()));
        let version = version(&program)?;
        let folder = env::temp_dir().join(format!("micro-benches-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let child = Command::new(&program)
            .args(["-a", "127.0.0.1", "-p", "-1", "--ports_file_dir"])
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut server = NatsServer {
            child,
            folder,
            url: String::new(),
            version,
        };
        server.url = server.ready().await?;
        Ok(server)
    }

    /// Where clients connect.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What it calls itself.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The file of ports is the one way in which a server tells the port it chose, so it is looked for.
    async fn ready(&mut self) -> Result<String> {
        let start = Instant::now();
        while start.elapsed() < LIMIT {
            if let Some(url) = read_url(&self.folder) {
                return Ok(url);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the nats-server ended at its start ({status})");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        bail!("the nats-server named no port within {LIMIT:?}")
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        // Nothing can be done about a process that is gone already, or a folder that stays.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn version(program: &Path) -> Result<String> {
    let output = Command::new(program).arg("--version").output();
    let output = output.with_context(|| {
        format!(
            "cannot run {}: `cargo xtask bench` finds or fetches a nats-server; else set NATS_SERVER to its file",
            program.display()
        )
    })?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Reads the file of ports, when it is there and whole.
fn read_url(folder: &Path) -> Option<String> {
    let mut files = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let file = files.find(|file| file.path().extension().is_some_and(|end| end == "ports"))?;
    let ports: Value = serde_json::from_slice(&fs::read(file.path()).ok()?).ok()?;
    ports["nats"][0].as_str().map(str::to_owned)
}
