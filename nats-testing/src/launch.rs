//! Starting the program, learning its ports, and ending it.

use std::fs;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Instant;

use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::{LIMIT, NatsServer, POLL, Settings, signal};

/// Where a server listens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Ports {
    pub(super) client: u16,
    pub(super) monitor: u16,
    /// Zero for a server without a cluster.
    pub(super) cluster: u16,
}

/// A process that was started. Dropping it kills it.
pub(super) struct Running(Child);

/// Why a start failed.
enum Failure {
    /// Somebody has the port, perhaps only for the length of one outgoing connection.
    PortTaken,
    Other(String),
}

impl NatsServer {
    /// Starts the program, on the ports it had before when there were any.
    pub(super) async fn launch(&mut self) {
        let start = Instant::now();
        loop {
            let reason = match self.try_launch(start).await {
                Ok(()) => return,
                Err(Failure::PortTaken) if start.elapsed() < LIMIT => {
                    sleep(POLL).await;
                    continue;
                }
                Err(Failure::PortTaken) => "its port stays taken".to_owned(),
                Err(Failure::Other(reason)) => reason,
            };
            panic!("nats-server did not start: {reason}\n{}", self.log());
        }
    }

    async fn try_launch(&mut self, start: Instant) -> Result<(), Failure> {
        let folder = self.folder.ports();
        let said = self.log().len();
        let mut running = Running(self.command(&folder).spawn().map_err(|error| {
            Failure::Other(format!("cannot run {}: {error}", self.settings.program.display()))
        })?);
        // The file is the one way in which a server tells the ports it chose; it is written once they accept.
        loop {
            if let Some(ports) = read_ports(&folder) {
                self.ports = ports;
                self.running = Some(running);
                return Ok(());
            }
            if let Some(status) = running.ended() {
                return Err(self.why(status, said));
            }
            if start.elapsed() > LIMIT {
                return Err(Failure::Other(format!("no file of ports within {LIMIT:?}")));
            }
            sleep(POLL).await;
        }
    }

    fn command(&self, ports: &Path) -> Command {
        let Settings {
            program,
            config,
            port,
            jetstream,
            route,
        } = &self.settings;
        let route = route.as_ref().map(|route| route.config(self.ports.cluster));
        let config = format!("{config}{}", route.unwrap_or_default());
        let client = port.unwrap_or(self.ports.client);
        let mut command = Command::new(program);
        command
            .args(["-a", "127.0.0.1"])
            .args(["-p", &or_free(client)])
            .args(["-m", &or_free(self.ports.monitor)])
            .arg("--ports_file_dir")
            .arg(ports)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(self.folder.append_log())
            .kill_on_drop(true);
        // The program complains of an empty file.
        if !config.is_empty() {
            command.arg("-c").arg(self.folder.configure(&config));
        }
        if *jetstream {
            command.arg("-js").arg("-sd").arg(self.folder.store());
        }
        command
    }

    fn why(&self, status: ExitStatus, said: usize) -> Failure {
        let log = self.log();
        let new = log.get(said..).unwrap_or_default();
        match new.contains("address already in use") {
            true => Failure::PortTaken,
            false => Failure::Other(format!("it ended with {status}")),
        }
    }
}

impl Running {
    pub(super) fn pid(&self) -> Option<u32> {
        self.0.id()
    }

    /// How it ended, when it has.
    fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().expect("the state of a child")
    }

    /// Asks it to end, and kills it when it does not.
    pub(super) async fn end(&mut self) {
        if let Some(pid) = self.pid() {
            signal::send("TERM", pid).await;
            // One that is frozen hears nothing else.
            signal::send("CONT", pid).await;
        }
        if timeout(LIMIT, self.0.wait()).await.is_err() {
            self.kill().await;
        }
    }

    /// Waits until it has ended.
    pub(super) async fn ended_by_itself(&mut self) {
        self.0.wait().await.expect("the state of a child");
    }

    pub(super) async fn kill(&mut self) {
        // It fails only when the process has ended already, and then there is nothing to do.
        let _ = self.0.kill().await;
    }
}

/// A port as the program takes it: -1 lets the system choose.
fn or_free(port: u16) -> String {
    match port {
        0 => "-1".to_owned(),
        port => port.to_string(),
    }
}

/// Reads the file of ports, when it is there and whole.
fn read_ports(folder: &Path) -> Option<Ports> {
    let mut files = fs::read_dir(folder)
        .ok()?
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    let file = files.find(|path| path.extension().is_some_and(|extension| extension == "ports"))?;
    let json: Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    Some(Ports {
        client: port(&json["nats"])?,
        monitor: port(&json["monitoring"])?,
        cluster: port(&json["cluster"]).unwrap_or_default(),
    })
}

/// The port of the first of a list of URLs.
fn port(urls: &Value) -> Option<u16> {
    urls[0].as_str()?.rsplit_once(':')?.1.parse().ok()
}
