//! Found and forgotten: the registry on both sides. `asks` looks, `serves` registers.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::unary::alive;
use super::{Row, row};
use crate::runner::{Generation, Pair, Peer, ensure_eq, field};

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

pub(super) async fn find(peer: &Peer, name: &str) -> Result<Vec<Value>> {
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
