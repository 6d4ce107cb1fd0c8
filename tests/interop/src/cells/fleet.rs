//! A mixed fleet under load, every instance restarted in turn.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Row, row};
use crate::runner::{Direction, Pair, Peer, ensure_eq, field};

/// How many instances of each kind.
const EACH: usize = 3;

pub(super) fn rows() -> Vec<Row> {
    let most = Duration::from_secs(180);
    vec![
        row!("fleet", "Rust callers while all instances restart", rust_callers)
            .only(Direction::RustGo)
            .within(most),
        row!("fleet", "Go callers while all instances restart", go_callers)
            .only(Direction::GoRust)
            .within(most),
    ]
}

/// No call fails: one that reached nobody goes elsewhere by itself, and these may run twice.
async fn rust_callers(pair: &Pair) -> Result<()> {
    let tally = restart_all(pair).await?;
    ensure!(
        tally["calls"].as_u64().unwrap_or_default() > 1000,
        "hardly any calls: {tally}"
    );
    ensure_eq(field(&tally, "/failed")?, 0).map_err(|error| error.context(tally["why"].to_string()))
}

/// A Go caller does not try elsewhere, so some of its calls fail; those to our instances no more often than others.
async fn go_callers(pair: &Pair) -> Result<()> {
    let tally = restart_all(pair).await?;
    let (ours, theirs) = (share(&tally, "fleet-rust"), share(&tally, "fleet-go"));
    ensure!(ours.0 > 500.0 && theirs.0 > 500.0, "hardly any calls: {tally}");
    ensure!(
        ours.1 / ours.0 <= theirs.1 / theirs.0,
        "of {} attempts on our nodes {} failed, of {} on Go nodes {}: {}",
        ours.0,
        ours.1,
        theirs.0,
        theirs.1,
        tally["why"]
    );
    Ok(())
}

/// Attempts on the nodes with such an id, and how many of them failed.
fn share(tally: &Value, prefix: &str) -> (f64, f64) {
    let nodes = tally["nodes"].as_object().into_iter().flatten();
    nodes
        .filter(|(id, _)| id.starts_with(prefix))
        .fold((0.0, 0.0), |(attempts, failed), (_, node)| {
            let number = |key: &str| node[key].as_f64().unwrap_or_default();
            (attempts + number("attempts"), failed + number("failed"))
        })
}

async fn restart_all(pair: &Pair) -> Result<Value> {
    let mut instances = Vec::new();
    for n in 0..EACH {
        instances.push((pair.go().await?, format!("go{n}")));
        instances.push((pair.rust().await?, format!("rust{n}")));
    }
    for (peer, id) in &instances {
        start(peer, id).await?;
    }
    let load = json!({ "as": "l", "service": "fleet", "callers": 8, "timeout_ms": 5000 });
    pair.asks.ask("load", load).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    for (peer, id) in &instances {
        peer.stop("s").await?;
        start(peer, id).await?;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    pair.asks.ask("unload", json!({ "as": "l" })).await
}

async fn start(peer: &Peer, id: &str) -> Result<()> {
    peer.serve("s", "fleet", json!({ "id": id })).await.map(drop)
}
