//! The Rust peer: a service and a client that are told what to do by lines on standard input.

use std::sync::Arc;

use anyhow::Result;
use micro::{Backends, BackendsConfig, PluginChoice, default_plugins};
use serde_json::json;

mod body;
mod broker;
mod call;
mod drive;
mod guide;
mod guide_lines;
mod handlers;
mod heard;
mod load;
mod named;
mod registry;
mod serve;
mod shop;
mod stream;
mod talk;

use drive::{Drive, Emitter};
use named::Named;

/// Where the peer meets the others.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The server to use.
    #[arg(long)]
    nats: String,
    /// Whom the registry speaks to: current, plugins, both.
    #[arg(long, default_value = "current")]
    topics: String,
}

/// One process of a fleet: what it calls with, what it serves, what it listens to.
struct Peer {
    config: BackendsConfig,
    backends: Backends,
    emitter: Emitter,
    services: Named<micro::Service>,
    streams: Named<Arc<tokio::sync::Mutex<stream::Conversation>>>,
    listeners: Named<Task>,
    loads: Named<load::Load>,
}

/// A task that ends with its owner.
struct Task(tokio::task::JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Serves commands until standard input ends.
pub(crate) async fn run(args: Args) -> Result<()> {
    let _ = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(tracing_subscriber::EnvFilter::from_env("MICRO_INTEROP_LOG"))
        .try_init();
    let mut drive = Drive::new();
    let config = config(&args);
    let peer = Arc::new(Peer {
        backends: Backends::open("interop", &config, &default_plugins()).await?,
        config,
        emitter: drive.emitter(),
        services: Named::default(),
        streams: Named::default(),
        listeners: Named::default(),
        loads: Named::default(),
    });
    call::enter(&mut drive, &peer);
    stream::enter(&mut drive, &peer);
    registry::enter(&mut drive, &peer);
    broker::enter(&mut drive, &peer);
    serve::enter(&mut drive, &peer);
    load::enter(&mut drive, &peer);
    guide::enter(&mut drive, &peer);
    drive.on("about", async |_: drive::None| {
        Ok(json!({ "generation": "rust" }))
    });
    drive.run().await
}

fn config(args: &Args) -> BackendsConfig {
    let mut config = BackendsConfig::default();
    let plain = PluginChoice::new("nats").with_addresses(&args.nats);
    config.transport = plain.clone();
    config.broker = plain;
    config.registry =
        PluginChoice::new("nats").with_addresses(&format!("{}?topics={}", args.nats, args.topics));
    config
}
