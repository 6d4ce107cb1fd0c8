//! Found and forgotten: the registry on both sides. `asks` looks, `serves` registers.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::unary::alive;
use super::{Row, row};
use crate::runner::{Direction, Generation, Pair, Peer, ensure_eq, field};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("registry", "what is registered is found unchanged", get),
        row!("registry", "what nobody registered is not found", get_unknown),
        row!("registry", "a refresh does not double a node", refresh),
        row!("registry", "what is deregistered is gone", deregister),
        row!("registry", "a list has every service", list),
        row!("registry", "a watch sees all changes", watch),
        row!("registry", "a watch of one service sees no other", watch_one),
        row!("registry", "versions stay apart", versions),
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

/// A record as any client may register it.
fn record(name: &str, version: &str, node: &str, address: &str) -> Value {
    json!({
        "name": name,
        "version": version,
        "metadata": { "owner": "Ann" },
        "endpoints": [{
            "name": "A.B",
            "request": { "name": "Q", "type": "Q", "values": [{ "name": "n", "type": "int64", "values": null }] },
            "response": { "name": "R", "type": "R", "values": null },
            "metadata": { "description": "does <b>" },
        }],
        "nodes": [{ "id": node, "address": address, "metadata": { "protocol": "mucp", "zone": "z" } }],
    })
}

async fn register(peer: &Peer, record: &Value) -> Result<()> {
    peer.ask("register", json!({ "service": record, "ttl_ms": 90_000 }))
        .await
        .map(drop)
}

async fn find(peer: &Peer, name: &str) -> Result<Vec<Value>> {
    let found = peer.ask("get", json!({ "name": name })).await?;
    Ok(found.as_array().cloned().unwrap_or_default())
}

/// Looks again for a while: to go-micro a registration is done before others hear of it.
pub(super) async fn find_when(
    peer: &Peer,
    name: &str,
    wanted: impl Fn(&[Value]) -> bool,
) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    for _ in 0..20 {
        found = find(peer, name).await?;
        if wanted(&found) {
            return Ok(found);
        }
    }
    anyhow::bail!("found only {}", json!(found))
}

async fn get(pair: &Pair) -> Result<()> {
    let sent = record("svc", "1.0.0", "svc-1", "a.b");
    register(&pair.serves, &sent).await?;
    let found = find_when(&pair.asks, "svc", |found| found.len() == 1).await?;
    let found = &found[0];
    for part in [
        "/name",
        "/version",
        "/metadata",
        "/nodes/0/id",
        "/nodes/0/address",
    ] {
        ensure_eq(field(found, part)?, field(&sent, part)?)?;
    }
    for part in [
        "/endpoints/0/name",
        "/endpoints/0/metadata",
        "/endpoints/0/request/values/0/type",
    ] {
        ensure_eq(field(found, part)?, field(&sent, part)?)?;
    }
    ensure_eq(field(found, "/nodes/0/metadata/zone")?, "z")?;
    ensure_eq(field(found, "/nodes/0/metadata/protocol")?, "mucp")
}

async fn get_unknown(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    ensure_eq(find(&pair.asks, "nobody").await?, Vec::<Value>::new())?;
    alive(pair).await
}

async fn refresh(pair: &Pair) -> Result<()> {
    let sent = record("svc", "1.0.0", "svc-1", "a.b");
    for _ in 0..3 {
        register(&pair.serves, &sent).await?;
    }
    let found = find_when(&pair.asks, "svc", |found| found.len() == 1).await?;
    ensure_eq(field(&found[0], "/nodes")?.as_array().map(Vec::len), Some(1))
}

async fn deregister(pair: &Pair) -> Result<()> {
    let mut changes = pair.asks.events("w");
    pair.asks.ask("watch", json!({ "as": "w" })).await?;
    let sent = record("svc", "1.0.0", "svc-1", "a.b");
    register(&pair.serves, &sent).await?;
    find_when(&pair.asks, "svc", |found| found.len() == 1).await?;
    pair.serves.ask("deregister", json!({ "service": sent })).await?;
    if pair.serves.is_go && pair.generation == Generation::V2 {
        // It goes on answering for what it has deregistered: a defect of its own. But it says so to those who watch.
        let change = changes.find(|change| change["action"] == "delete").await?;
        return ensure_eq(field(&change, "/service/nodes/0/id")?, "svc-1");
    }
    find_when(&pair.asks, "svc", <[Value]>::is_empty).await.map(drop)
}

async fn list(pair: &Pair) -> Result<()> {
    for name in ["one", "two"] {
        register(&pair.serves, &record(name, "1.0.0", &format!("{name}-1"), "a.b")).await?;
        find_when(&pair.asks, name, |found| found.len() == 1).await?;
    }
    let listed = pair.asks.ask("list", json!({})).await?;
    let mut names: Vec<_> = listed
        .as_array()
        .context("a list")?
        .iter()
        .filter_map(|s| s["name"].as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    ensure_eq(names, vec!["one", "two"])
}

async fn watch(pair: &Pair) -> Result<()> {
    let mut changes = pair.asks.events("w");
    pair.asks.ask("watch", json!({ "as": "w" })).await?;
    let sent = record("svc", "1.0.0", "svc-1", "a.b");
    register(&pair.serves, &sent).await?;
    let change = changes.next().await?;
    ensure_eq(field(&change, "/action")?, "create")?;
    ensure_eq(field(&change, "/service/nodes/0/id")?, "svc-1")?;
    register(&pair.serves, &sent).await?;
    let action = changes.next().await?["action"].clone();
    ensure!(
        action == "create" || action == "update",
        "a refresh was told as {action}"
    );
    pair.serves.ask("deregister", json!({ "service": sent })).await?;
    let change = changes.next().await?;
    ensure_eq(field(&change, "/action")?, "delete")?;
    ensure_eq(field(&change, "/service/nodes/0/id")?, "svc-1")
}

async fn watch_one(pair: &Pair) -> Result<()> {
    let mut changes = pair.asks.events("w");
    pair.asks
        .ask("watch", json!({ "as": "w", "service": "two" }))
        .await?;
    for name in ["one", "two"] {
        register(&pair.serves, &record(name, "1.0.0", &format!("{name}-1"), "a.b")).await?;
    }
    ensure_eq(field(&changes.next().await?, "/service/name")?, "two")
}

async fn versions(pair: &Pair) -> Result<()> {
    register(&pair.serves, &record("svc", "1.0.0", "svc-1", "a.b")).await?;
    register(&pair.serves, &record("svc", "2.0.0", "svc-2", "a.c")).await?;
    let found = find_when(&pair.asks, "svc", |found| found.len() == 2).await?;
    let mut pairs: Vec<_> = found
        .iter()
        .map(|s| (s["version"].as_str(), s["nodes"][0]["id"].as_str()))
        .collect();
    pairs.sort_unstable();
    ensure_eq(
        pairs,
        vec![(Some("1.0.0"), Some("svc-1")), (Some("2.0.0"), Some("svc-2"))],
    )
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
