//! One test body, run on memory and on NATS: the service does not know the difference.
//!
//! ```text
//! cargo run --example swap-backends
//! NATS_SERVER=$(cargo xtask nats) cargo run --example swap-backends
//! cargo run --example swap-backends -- --transport=nats --broker=nats --registry=nats
//! ```
//!
//! The second starts a nats-server of its own, and ends it; the third uses one that runs.

// This is a program: its output is its job.
#![allow(clippy::print_stdout)]

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use micro::prelude::*;
use micro::{PluginChoice, ServiceBuilder};
use micro_examples::{CountRequest, English, Greeted, GreeterClient, GreeterServer, HelloRequest};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// The test: it is handed a service that is to be started, whatever its backends.
async fn greets_counts_and_tells(service: ServiceBuilder) -> Result<()> {
    let (heard, mut events) = mpsc::channel(1);
    let service = service
        .serve(GreeterServer::new(English))
        .subscribe("greetings", micro_examples::forward_to(heard))
        .start()
        .await?;
    let greeter = GreeterClient::new(service.client());

    let reply = greeter.hello(HelloRequest { name: "Ada".into() }).await?;
    ensure!(reply.message == "Hello, Ada!");

    let refused = greeter.hello(HelloRequest { name: String::new() }).await;
    ensure!(refused.is_err_and(|status| status.code() == Code::InvalidArgument));

    let numbers = greeter.count(CountRequest { to: 3 }).await?;
    ensure!(numbers.collect().await? == [1, 2, 3]);

    service
        .publish_to("greetings", &Json(Greeted { name: "Ada".into() }))
        .await?;
    let event = timeout(Duration::from_secs(5), events.recv())
        .await
        .context("no event came")?;
    ensure!(event == Some(Greeted { name: "Ada".into() }));

    service.shutdown().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    micro_examples::log_from("warn");
    let chosen = Service::from_args("greeter")?;
    let plugin = chosen.settings()?.backends.transport.plugin;

    greets_counts_and_tells(Service::builder("greeter")).await?;
    println!("memory     passed");
    if plugin != "memory" {
        greets_counts_and_tells(chosen).await?;
        println!("{plugin:<10} passed, as the flags chose");
        return Ok(());
    }
    match NatsServer::start()? {
        Some(server) => {
            greets_counts_and_tells(on_nats(&server.address)).await?;
            println!("nats       passed, on a nats-server at {}", server.address);
        }
        None => println!("nats       skipped: no nats-server on PATH; try NATS_SERVER=$(cargo xtask nats)"),
    }
    Ok(())
}

fn on_nats(address: &str) -> ServiceBuilder {
    let nats = || PluginChoice::new("nats").with_addresses(address);
    Service::builder("greeter")
        .transport_plugin(nats())
        .broker_plugin(nats())
        .registry_plugin(nats())
}

/// A nats-server of our own, ended when dropped.
struct NatsServer {
    process: Child,
    address: String,
    /// Kept open: the server ends when it cannot write its log.
    _log: BufReader<ChildStderr>,
}

impl NatsServer {
    /// Starts the program that `NATS_SERVER` names, or that is on `PATH`, on a free port; `None` when there is none.
    fn start() -> Result<Option<Self>> {
        let program = std::env::var("NATS_SERVER").unwrap_or_else(|_| "nats-server".into());
        let spawned = Command::new(program)
            .args(["--addr", "127.0.0.1", "--port", "-1"])
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut process) = spawned else { return Ok(None) };
        let mut log = BufReader::new(process.stderr.take().context("the server has no log")?);
        let mut address = String::new();
        loop {
            let mut line = String::new();
            ensure!(
                log.read_line(&mut line)? > 0,
                "the nats-server ended before it was ready"
            );
            if let Some((_, after)) = line.split_once("Listening for client connections on ") {
                address = after.trim().to_owned();
            }
            if line.contains("Server is ready") {
                break;
            }
        }
        Ok(Some(NatsServer {
            process,
            address,
            _log: log,
        }))
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
