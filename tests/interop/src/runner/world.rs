//! Where a cell takes place: a nats-server of its own, and two peers.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use micro_conformance::nats_server::NatsServer;
use serde_json::{Value, json};

use super::Args;
use super::expect::{Outcome, Received};
use super::process::Peer;
use super::tool;

/// Which go-micro is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Generation {
    /// v5.8.0: `micro.nats.*`, `Micro-ID`.
    V5,
    /// v2.9.1: `micro.registry.nats.*`, `Micro-Id`.
    V2,
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Generation::V5 => "v5.8.0",
            Generation::V2 => "v2.9.1",
        })
    }
}

impl Generation {
    fn topics(self) -> &'static str {
        match self {
            Generation::V5 => "current",
            Generation::V2 => "plugins",
        }
    }
}

/// Who asks, and who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Direction {
    GoRust,
    RustGo,
    GoGo,
    RustRust,
}

impl Direction {
    fn asker_is_go(self) -> bool {
        matches!(self, Direction::GoRust | Direction::GoGo)
    }

    fn server_is_go(self) -> bool {
        matches!(self, Direction::RustGo | Direction::GoGo)
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::GoRust => "go->rust",
            Direction::RustGo => "rust->go",
            Direction::GoGo => "go->go",
            Direction::RustRust => "rust->rust",
        })
    }
}

/// The programs of the peers.
#[derive(Clone)]
pub(super) struct Programs {
    v5: PathBuf,
    v2: PathBuf,
    cli: PathBuf,
    guide: PathBuf,
    rust: PathBuf,
}

impl Programs {
    pub(super) fn new(args: &Args) -> Result<Self> {
        Ok(Programs {
            v5: built(&args.v5)?,
            v2: built(&args.v2)?,
            cli: built(&args.cli)?,
            guide: built(&args.guide)?,
            rust: std::env::current_exe().context("where this program is")?,
        })
    }

    /// With the generated program in the place of the one written by hand.
    pub(super) fn of_the_guide(&self) -> Self {
        Programs {
            v5: self.guide.clone(),
            ..self.clone()
        }
    }
}

fn built(file: &Path) -> Result<PathBuf> {
    if !file.is_file() {
        bail!("nothing at {}; `cargo xtask interop` builds it", file.display());
    }
    Ok(std::path::absolute(file)?)
}

/// Two peers on a nats-server of their own: `asks` calls, looks, publishes; `serves` is called, found, told.
pub(crate) struct Pair {
    // Dropped before the server that they use.
    pub(crate) asks: Peer,
    pub(crate) serves: Peer,
    pub(crate) generation: Generation,
    pub(crate) nats: NatsServer,
    programs: Arc<Programs>,
}

/// The name under which `serves` serves.
pub(crate) const SERVICE: &str = "fleet";

impl Pair {
    pub(super) async fn new(
        programs: Arc<Programs>,
        generation: Generation,
        direction: Direction,
    ) -> Result<Self> {
        let nats = NatsServer::start().await;
        Ok(Pair {
            asks: start(
                &programs,
                &nats,
                generation,
                direction.asker_is_go(),
                generation.topics(),
            )
            .await?,
            serves: start(
                &programs,
                &nats,
                generation,
                direction.server_is_go(),
                generation.topics(),
            )
            .await?,
            generation,
            nats,
            programs,
        })
    }

    /// One more Go peer, of the generation of this pair.
    pub(crate) async fn go(&self) -> Result<Peer> {
        start(&self.programs, &self.nats, self.generation, true, "").await
    }

    /// One more Rust peer.
    pub(crate) async fn rust(&self) -> Result<Peer> {
        start(
            &self.programs,
            &self.nats,
            self.generation,
            false,
            self.generation.topics(),
        )
        .await
    }

    /// A Rust peer whose registry speaks to both generations, and a Go peer of each.
    pub(crate) async fn both_generations(&self) -> Result<(Peer, [Peer; 2])> {
        let rust = start(&self.programs, &self.nats, self.generation, false, "both").await?;
        let v5 = start(&self.programs, &self.nats, Generation::V5, true, "").await?;
        let v2 = start(&self.programs, &self.nats, Generation::V2, true, "").await?;
        Ok((rust, [v5, v2]))
    }

    /// Runs go-micro's command line tool, and returns what it printed, errors too.
    pub(crate) async fn micro(&self, args: &[&str]) -> Result<String> {
        tool::run(&self.programs.cli, &self.nats.url(), args).await
    }

    /// Has `serves` serve, and returns its address and id.
    pub(crate) async fn serve(&self) -> Result<Value> {
        self.serve_with(json!({})).await
    }

    /// As [`serve`](Self::serve), with more arguments.
    pub(crate) async fn serve_with(&self, more: Value) -> Result<Value> {
        let served = self.serves.serve("s", SERVICE, more).await?;
        self.acquaint().await?;
        Ok(served)
    }

    /// A Go registry gives up after a tenth of a second, which a busy machine may need: not what cells are about.
    /// Once found, a service is in its cache. Ours finds it the first time.
    async fn acquaint(&self) -> Result<()> {
        if !self.asks.is_go {
            return Ok(());
        }
        let mut last = None;
        for _ in 0..20 {
            last = self.call("Greeter.Hello", json!({}), json!({})).await?.failed;
            if last.is_none() {
                return Ok(());
            }
        }
        bail!("{SERVICE} is not found: {last:?}")
    }

    /// Has `asks` call what `serves` serves.
    pub(crate) async fn call(&self, endpoint: &str, body: Value, more: Value) -> Result<Outcome> {
        self.asks.call(SERVICE, endpoint, body, more).await
    }

    /// Has `asks` open a stream to what `serves` serves, called `name`.
    pub(crate) async fn open(&self, name: &str, endpoint: &str) -> Result<Value> {
        let args = json!({ "stream": name, "service": SERVICE, "endpoint": endpoint, "body": {} });
        self.asks.ask("open", args).await
    }

    /// Sends on a stream.
    pub(crate) async fn send(&self, name: &str, bodies: Value) -> Result<Value> {
        self.asks
            .ask("send", json!({ "stream": name, "bodies": bodies }))
            .await
    }

    /// Receives that many messages, or the end.
    pub(crate) async fn recv(&self, name: &str, count: usize) -> Result<Received> {
        let args = json!({ "stream": name, "count": count, "timeout_ms": 10_000 });
        Ok(serde_json::from_value(self.asks.ask("recv", args).await?)?)
    }

    /// Ends a stream.
    pub(crate) async fn close(&self, name: &str) -> Result<Value> {
        self.asks.ask("close", json!({ "stream": name })).await
    }
}

async fn start(
    programs: &Programs,
    nats: &NatsServer,
    generation: Generation,
    go: bool,
    topics: &str,
) -> Result<Peer> {
    let url = nats.url();
    match (go, generation) {
        (true, Generation::V5) => Peer::start(&programs.v5, &["-nats", &url], true).await,
        (true, Generation::V2) => Peer::start(&programs.v2, &["-nats", &url], true).await,
        (false, _) => {
            Peer::start(
                &programs.rust,
                &["peer", "--nats", &url, "--topics", topics],
                false,
            )
            .await
        }
    }
}
