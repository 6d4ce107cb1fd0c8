//! Callers that greet without a pause, and what became of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use micro::{Client, Json, Status};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Peer;
use super::drive::Drive;

#[derive(Default, Deserialize)]
#[serde(default)]
struct LoadArgs {
    #[serde(rename = "as")]
    name: String,
    service: String,
    callers: usize,
    timeout_ms: u64,
}

/// What became of the calls.
#[derive(Clone, Default, Serialize)]
struct Tally {
    calls: u64,
    failed: u64,
    why: BTreeMap<String, u64>,
}

/// A load in progress. Dropping it stops it.
pub(super) struct Load {
    stop: watch::Sender<bool>,
    callers: JoinSet<()>,
    tally: Arc<Mutex<Tally>>,
}

pub(super) fn enter(drive: &mut Drive, peer: &Arc<Peer>) {
    let p = peer.clone();
    drive.on("load", move |args: LoadArgs| {
        let name = args.name.clone();
        p.loads.put(&name, begin(p.backends.client(), args));
        async { Ok(()) }
    });
    let p = peer.clone();
    drive.on("loaded", move |args: LoadArgs| {
        let tally = p.loads.with(&args.name, |load| load.tally.lock().clone());
        async { tally }
    });
    let p = peer.clone();
    drive.on("unload", move |args: LoadArgs| {
        let load = p.loads.take(&args.name);
        async move { Ok(load?.end().await) }
    });
}

fn begin(client: &Client, args: LoadArgs) -> Load {
    let (stop, stopped) = watch::channel(false);
    let tally = Arc::new(Mutex::new(Tally::default()));
    let mut callers = JoinSet::new();
    for _ in 0..args.callers {
        let (client, service, tally, stopped) = (
            client.clone(),
            args.service.clone(),
            tally.clone(),
            stopped.clone(),
        );
        let timeout = Duration::from_millis(args.timeout_ms);
        callers.spawn(async move {
            while !*stopped.borrow() {
                let outcome = greet(&client, &service, timeout).await;
                tally.lock().count(outcome);
            }
        });
    }
    Load { stop, callers, tally }
}

async fn greet(client: &Client, service: &str, timeout: Duration) -> Result<(), Status> {
    let john = Json(json!({ "name": "John" }));
    let Json(_): Json<Value> = client
        .unary(service.to_owned(), "Greeter.Hello", john)
        .timeout(timeout)
        .idempotent()
        .await?;
    Ok(())
}

impl Tally {
    fn count(&mut self, outcome: Result<(), Status>) {
        self.calls += 1;
        if let Err(status) = outcome {
            self.failed += 1;
            *self.why.entry(status.to_string()).or_default() += 1;
        }
    }
}

impl Load {
    async fn end(mut self) -> Tally {
        self.stop.send_replace(true);
        while self.callers.join_next().await.is_some() {}
        self.tally.lock().clone()
    }
}
