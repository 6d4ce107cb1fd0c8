//! Several nodes under one name, and nodes that go and come back. `asks` calls, `serves` is one of them.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::registry::{find, find_when};
use super::unary::alive;
use super::{Row, row};
use crate::runner::{Direction, Generation, Pair, ensure_eq, field};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("registry", "nodes of two processes are both found", two_processes),
        row!("registry", "a node may come back at a new address", new_address),
        row!("registry", "a killed node may come back, too", killed_and_back),
        row!(
            "registry",
            "one of us is found by both generations",
            both_generations
        )
        .only(Direction::GoRust)
        .with(Generation::V5),
        row!("registry", "one of us finds both generations", finds_both)
            .only(Direction::RustGo)
            .with(Generation::V5),
    ]
}

/// A Rust and a Go process under one name: calls go to both.
async fn two_processes(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let other = if pair.serves.is_go {
        pair.rust().await?
    } else {
        pair.go().await?
    };
    other.serve("o", "fleet", json!({})).await?;
    let nodes =
        |found: &[Value]| found.len() == 1 && found[0]["nodes"].as_array().is_some_and(|n| n.len() == 2);
    find_when(&pair.asks, "fleet", nodes).await?;
    let mut unknown = 0;
    for _ in 0..40 {
        // Only ours has this endpoint.
        let outcome = pair.call("Relay.Fail", json!({}), json!({})).await?;
        unknown += u32::from(outcome.failed()?.detail.contains("can't find service Relay"));
        alive(pair).await?;
    }
    ensure!(
        (1..40).contains(&unknown),
        "{unknown} of 40 calls went to the Go node"
    );
    Ok(())
}

/// Whoever called it before follows.
async fn new_address(pair: &Pair) -> Result<()> {
    let first = pair.serve_with(json!({ "id": "same" })).await?;
    alive(pair).await?;
    pair.serves.stop("s").await?;
    let second = pair.serve_with(json!({ "id": "same" })).await?;
    ensure_eq(field(&first, "/id")?, field(&second, "/id")?)?;
    ensure!(
        first["address"] != second["address"],
        "the address is the same: {first}"
    );
    followed(pair).await?;
    let found = find(&pair.asks, "fleet").await?;
    ensure_eq(
        field(&json!(found), "/0/nodes")?.as_array().map(Vec::len),
        Some(1),
    )
}

/// The caller gets there, sooner or later.
async fn followed(pair: &Pair) -> Result<()> {
    let followed = async {
        while alive(pair).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let followed = tokio::time::timeout(Duration::from_secs(5), followed).await;
    followed.context("the caller did not follow")
}

/// Killed, it takes nothing back: another process of the same id says where it is now.
async fn killed_and_back(pair: &Pair) -> Result<()> {
    let first = if pair.serves.is_go {
        pair.go().await?
    } else {
        pair.rust().await?
    };
    let before = first.serve("s", "fleet", json!({ "id": "same" })).await?;
    followed(pair).await?;
    drop(first);
    let after = pair.serves.serve("s", "fleet", json!({ "id": "same" })).await?;
    ensure_eq(field(&before, "/id")?, field(&after, "/id")?)?;
    followed(pair).await?;
    // The caller goes on to the new one alone.
    for _ in 0..20 {
        alive(pair).await?;
    }
    let found = find_when(&pair.asks, "fleet", |found| found.len() == 1).await?;
    ensure_eq(field(&found[0], "/nodes")?.as_array().map(Vec::len), Some(1))?;
    ensure_eq(field(&found[0], "/nodes/0/address")?, field(&after, "/address")?)
}

async fn both_generations(pair: &Pair) -> Result<()> {
    let (rust, go) = pair.both_generations().await?;
    rust.serve("s", "ours", json!({})).await?;
    for go in &go {
        let body = go
            .call("ours", "Greeter.Hello", json!({ "name": "Ann" }), json!({}))
            .await?
            .body()?;
        ensure_eq(body, json!({ "msg": "Hello Ann" }))?;
    }
    Ok(())
}

async fn finds_both(pair: &Pair) -> Result<()> {
    let (rust, go) = pair.both_generations().await?;
    for (go, name) in go.iter().zip(["new", "old"]) {
        go.serve("s", name, json!({})).await?;
        let body = rust
            .call(name, "Greeter.Hello", json!({ "name": "Ann" }), json!({}))
            .await?
            .body()?;
        ensure_eq(body, json!({ "msg": "Hello Ann" }))?;
    }
    let listed = rust.ask("list", json!({})).await?;
    ensure_eq(listed.as_array().map(Vec::len), Some(2))
}
