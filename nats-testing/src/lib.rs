//! A real `nats-server` that belongs to one test: started, restarted, frozen and killed as the test likes.
//!
//! Each server has free ports of its own on the loopback interface and a folder of its own, so tests run side by
//! side. It ends with its handle, whatever happens to the test, and the folder with it; so a handle is never kept
//! in a `static`, which is never dropped.
//!
//! The program is the one that the variable `NATS_SERVER` names, else the first on `PATH`. When there is none, a
//! test fails and says how to get one.
//!
//! ```no_run
//! use nats_testing::NatsServer;
//! # async fn test() {
//! let mut server = NatsServer::builder().config("max_payload: 1KB").start().await;
//! let connections = &server.monitor("/connz").await["num_connections"];
//! server.restart().await; // on the same ports
//! # }
//! ```

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test whose server does not start fails by panicking"
)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

mod cluster;
mod folder;
mod launch;
mod locate;
mod monitor;
mod signal;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use cluster::{NatsCluster, NatsClusterBuilder};

use folder::Folder;
use launch::{Ports, Running};

/// How long one step may take (a start, a stop, an answer) before the test fails.
const LIMIT: Duration = Duration::from_secs(10);

/// How often something is looked at that the server tells in no other way.
const POLL: Duration = Duration::from_millis(10);

/// A real server owned by a test. Dropping it kills the server and removes its folder.
pub struct NatsServer {
    // Dropped before the folder that it writes to.
    running: Option<Running>,
    ports: Ports,
    settings: Settings,
    folder: Folder,
}

/// What a server is started with.
struct Settings {
    program: PathBuf,
    config: String,
    port: Option<u16>,
    jetstream: bool,
    route: Option<cluster::Route>,
}

/// Settings of a server to be started.
pub struct NatsServerBuilder(Settings);

impl NatsServer {
    /// Starts a server with the defaults: free ports, no limits, no users, no JetStream.
    ///
    /// # Panics
    /// When there is no `nats-server`, or it does not accept connections within 10 s.
    ///
    /// # Cancel safety
    /// Nothing is left behind: the server is killed.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Settings to start a server with.
    ///
    /// # Panics
    /// When there is no `nats-server`.
    pub fn builder() -> NatsServerBuilder {
        NatsServerBuilder(Settings {
            program: locate::program(),
            config: String::new(),
            port: None,
            jetstream: false,
            route: None,
        })
    }

    /// Where clients connect, such as `nats://127.0.0.1:40123`. It stays the same over restarts.
    pub fn url(&self) -> String {
        format!("nats://{}", self.address())
    }

    /// Where clients connect, without a scheme: `127.0.0.1:40123`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.ports.client)
    }

    /// The process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().and_then(Running::pid)
    }

    /// What the server has written to its log, over all its starts.
    pub fn log(&self) -> String {
        self.folder.log()
    }

    /// Asks the monitoring port, for `/varz`, `/connz?subs=1`, `/subsz` or another of its pages.
    ///
    /// # Panics
    /// When it does not answer within 10 s, answers with an error, or not with JSON.
    ///
    /// # Cancel safety
    /// Safe: it changes nothing.
    pub async fn monitor(&self, path: &str) -> Value {
        let answer = tokio::time::timeout(LIMIT, monitor::get(self.ports.monitor, path)).await;
        answer
            .unwrap_or_else(|_| Err(format!("no answer within {LIMIT:?}")))
            .unwrap_or_else(|error| panic!("monitoring {path}: {error}\n{}", self.log()))
    }

    /// Stops the server if it runs, and starts it again on the same ports, with the same settings and files.
    ///
    /// # Panics
    /// When it does not accept connections within 10 s.
    ///
    /// # Cancel safety
    /// The server may be stopped; calling it again starts it.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.launch().await;
    }

    /// Replaces the configuration, from the next [`restart`](Self::restart) or [`reload`](Self::reload) on: as
    /// [`config`](NatsServerBuilder::config) has it.
    pub fn set_config(&mut self, text: &str) {
        self.settings.config = format!("{text}\n");
    }

    /// Lets the server that runs take its configuration anew (SIGHUP), and waits until it has.
    ///
    /// # Panics
    /// When it does not run, or says within 10 s that it cannot, or nothing.
    ///
    /// # Cancel safety
    /// It takes the configuration all the same.
    pub async fn reload(&self) {
        self.folder.configure(&self.settings.config);
        let said = self.log().len();
        signal::send("HUP", self.pid().expect("a server that runs")).await;
        let start = Instant::now();
        while !self.log()[said..].contains("Reloaded server configuration") {
            assert!(
                start.elapsed() < LIMIT,
                "no new configuration within {LIMIT:?}\n{}",
                self.log()
            );
            tokio::time::sleep(POLL).await;
        }
    }

    /// Asks the server to end (SIGTERM) and waits until it has; after 10 s it is killed.
    ///
    /// A stopped server keeps its ports and its folder for [`restart`](Self::restart).
    ///
    /// # Cancel safety
    /// The server may go on to end; calling it again waits for that.
    pub async fn stop(&mut self) {
        if let Some(running) = &mut self.running {
            running.end().await;
            self.running = None;
        }
    }

    /// Kills the server (SIGKILL) and waits until it is gone.
    ///
    /// # Cancel safety
    /// The server dies all the same; calling it again waits for that.
    pub async fn kill(&mut self) {
        if let Some(running) = &mut self.running {
            running.kill().await;
            self.running = None;
        }
    }

    /// Puts the server into lame duck mode (`nats-server --signal ldm`), and waits until it has ended.
    ///
    /// It tells its clients, takes no new ones, and after `lame_duck_grace_period` disconnects them one by one, spread
    /// over `lame_duck_duration`, but at most one second apart. [`restart`](Self::restart) starts it again.
    ///
    /// # Panics
    /// When it does not run.
    ///
    /// # Cancel safety
    /// The server goes on to end; calling it again waits for that.
    pub async fn lame_duck(&mut self) {
        if let Some(running) = &mut self.running {
            signal::send("USR2", running.pid().expect("a server that runs")).await;
            running.ended_by_itself().await;
            self.running = None;
        }
    }

    /// Halts the server (SIGSTOP): its connections stay open and nothing answers.
    ///
    /// # Panics
    /// When it does not run.
    ///
    /// # Cancel safety
    /// It may be frozen or not; [`thaw`](Self::thaw) is right in both cases.
    pub async fn freeze(&self) {
        let pid = self.pid().expect("a server that runs");
        signal::send("STOP", pid).await;
        signal::until_stopped(pid).await;
    }

    /// Lets a frozen server go on (SIGCONT).
    ///
    /// # Panics
    /// When it does not run.
    ///
    /// # Cancel safety
    /// It may be frozen still; calling it again is right.
    pub async fn thaw(&self) {
        signal::send("CONT", self.pid().expect("a server that runs")).await;
    }
}

impl NatsServerBuilder {
    /// Adds lines to the configuration file: users, permissions, `max_payload`, `tls` and the like.
    ///
    /// Ports and the host are given on the command line, which beats what is said here.
    #[must_use]
    pub fn config(mut self, text: &str) -> Self {
        self.0.config.push_str(text);
        self.0.config.push('\n');
        self
    }

    /// Listens for clients on this port instead of a free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.0.port = Some(port);
        self
    }

    /// Turns JetStream on, with its store in the server's folder.
    #[must_use]
    pub fn jetstream(mut self, on: bool) -> Self {
        self.0.jetstream = on;
        self
    }

    /// Starts the server, and returns once it accepts connections.
    ///
    /// # Panics
    /// When it does not within 10 s; the message holds its log.
    ///
    /// # Cancel safety
    /// Nothing is left behind: the server is killed.
    pub async fn start(self) -> NatsServer {
        let mut server = NatsServer {
            running: None,
            ports: Ports::default(),
            settings: self.0,
            folder: Folder::new(),
        };
        server.launch().await;
        server
    }
}
