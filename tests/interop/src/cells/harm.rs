//! What we must never do to a Go peer.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::sniff::Sniffer;
use super::unary::alive;
use super::{Row, row};
use crate::runner::{Direction, Pair, ensure_eq, field};

pub(super) fn rows() -> Vec<Row> {
    let most = Duration::from_secs(120);
    vec![
        row!("no harm", "one reply to each request, whatever it is", one_reply).only(Direction::GoRust),
        row!("no harm", "one inbox for all calls to a server", one_inbox).only(Direction::RustGo),
        row!("no harm", "no leak in a Go server after 10,000 calls", no_leak)
            .only(Direction::RustGo)
            .within(most),
        row!(
            "no harm",
            "our registry publishes nothing that kills",
            harmless_registry
        ),
        row!(
            "no harm",
            "what kills a Go registry does not kill ours",
            hardened_registry
        )
        .only(Direction::GoRust),
    ]
}

/// A second one would become the answer of the next call on that inbox.
async fn one_reply(pair: &Pair) -> Result<()> {
    let served = pair.serve().await?;
    let address = field(&served, "/address")?
        .as_str()
        .context("an address")?
        .to_owned();
    alive(pair).await?;
    let mut sniffer = Sniffer::new(pair).await?;
    let raw = json!({ "kind": "raw", "content_type": "application/json" });
    let requests = [
        ("Greeter.Hello", json!({ "name": "Ann" }), json!({})),
        ("Greeter.Fail", json!({ "code": 404, "detail": "x" }), json!({})),
        ("Greeter.Plain", json!({ "name": "x" }), json!({})),
        ("Greeter.Panic", json!({ "name": "x" }), json!({})),
        ("Greeter.Nope", json!({}), json!({})),
        ("Nope.Nope", json!({}), json!({})),
        ("Nope", json!({}), json!({})),
        ("Greeter.Hello", json!("ew=="), raw),
        (
            "Greeter.Hello",
            json!({}),
            json!({ "content_type": "application/x-unknown" }),
        ),
        ("Greeter.Big", json!({ "runs": 1024 * 1024 }), json!({})),
        ("Talk.Chat", json!({ "do": "end" }), json!({})),
    ];
    for (endpoint, body, more) in requests {
        pair.call(endpoint, body, more).await?;
        let heard = sniffer.heard().await?;
        let asked: Vec<_> = heard
            .iter()
            .filter(|message| *message.subject == *address)
            .collect();
        ensure_eq(asked.len(), 1).context(endpoint)?;
        let inbox = asked[0]
            .reply
            .clone()
            .context("a request without a reply subject")?;
        let replies = heard.iter().filter(|message| message.subject == inbox).count();
        ensure_eq(replies, 1).with_context(|| format!("replies to {endpoint}"))?;
    }
    late_reply(pair, &mut sniffer).await
}

/// A reply that comes too late is a second one, too.
async fn late_reply(pair: &Pair, sniffer: &mut Sniffer) -> Result<()> {
    pair.call(
        "Greeter.Sleep",
        json!({ "ms": 400, "key": "k" }),
        json!({ "timeout_ms": 200 }),
    )
    .await?;
    tokio::time::sleep(Duration::from_millis(600)).await;
    let heard = sniffer.heard().await?;
    let inboxes: BTreeSet<_> = heard.iter().filter_map(|message| message.reply.clone()).collect();
    ensure_eq(
        heard
            .iter()
            .filter(|message| inboxes.contains(&message.subject))
            .count(),
        0,
    )
}

async fn one_inbox(pair: &Pair) -> Result<()> {
    let served = pair.serve().await?;
    let address = field(&served, "/address")?
        .as_str()
        .context("an address")?
        .to_owned();
    let mut sniffer = Sniffer::new(pair).await?;
    futures::future::try_join_all((0..200).map(|_| alive(pair))).await?;
    let heard = sniffer.heard().await?;
    let asked = heard.iter().filter(|message| *message.subject == *address);
    let inboxes: BTreeSet<_> = asked.filter_map(|message| message.reply.clone()).collect();
    ensure_eq(inboxes.len(), 1)
}

async fn no_leak(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    alive(pair).await?;
    let before = goroutines(pair).await?;
    let load = json!({ "as": "l", "service": "fleet", "callers": 32, "timeout_ms": 5000 });
    pair.asks.ask("load", load).await?;
    let mut calls = 0;
    while calls < 10_000 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        calls = field(&pair.asks.ask("loaded", json!({ "as": "l" })).await?, "/calls")?
            .as_u64()
            .unwrap_or_default();
    }
    let tally = pair.asks.ask("unload", json!({ "as": "l" })).await?;
    ensure_eq(field(&tally, "/failed")?, 0)?;
    let mut after = 0;
    for _ in 0..50 {
        after = goroutines(pair).await?;
        if after <= before + 5 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("{before} goroutines before {calls} calls, {after} after")
}

async fn goroutines(pair: &Pair) -> Result<u64> {
    let about = pair.serves.ask("about", json!({})).await?;
    field(&about, "/goroutines")?.as_u64().context("a number")
}

/// Everything that a registry of ours can be asked to do, read by a third party, with Go registries listening.
async fn harmless_registry(pair: &Pair) -> Result<()> {
    let (rust, go) = (pair.rust().await?, pair.go().await?);
    go.serve("g", "go-service", json!({})).await?;
    let mut sniffer = Sniffer::new(pair).await?;
    rust.ask("watch", json!({ "as": "w" })).await?;
    rust.serve("r", "rust-service", json!({ "interval_ms": 100 }))
        .await?;
    for name in ["nobody", "go-service", "rust-service"] {
        rust.ask("get", json!({ "name": name })).await?;
    }
    rust.ask("list", json!({})).await?;
    tokio::time::sleep(Duration::from_millis(350)).await;
    let bare = json!({ "name": "bare", "nodes": [{ "id": "bare-1", "address": "a.b" }] });
    rust.ask("register", json!({ "service": bare })).await?;
    rust.ask("deregister", json!({ "service": bare })).await?;
    rust.stop("r").await?;
    for message in sniffer.heard().await? {
        let subject = message.subject.as_str();
        if subject.starts_with("micro.nats.") || subject.starts_with("micro.registry.nats.") {
            harmless(&message.payload).with_context(|| format!("{subject}: {:?}", message.payload))?;
        }
    }
    // It lives, and finds and answers.
    let body = rust
        .call("go-service", "Greeter.Hello", json!({ "name": "Ann" }), json!({}))
        .await?
        .body()?;
    ensure_eq(body, json!({ "msg": "Hello Ann" }))
}

/// A `get`, `create` or `delete` without a Service, or a `null`, ends a go-micro process.
fn harmless(payload: &[u8]) -> Result<()> {
    let result: Value = serde_json::from_slice(payload)?;
    let action = field(&result, "/Action")?.as_str().context("an action")?;
    match action {
        "list" => Ok(()),
        "get" | "create" | "update" | "delete" => {
            let name = field(&result, "/Service/name")?.as_str().unwrap_or_default();
            ensure!(!name.is_empty(), "a service without a name");
            Ok(())
        }
        other => bail!("unknown action {other}"),
    }
}

/// The Go peers of this cell may die of it.
async fn hardened_registry(pair: &Pair) -> Result<()> {
    let (first, second) = (pair.rust().await?, pair.rust().await?);
    first.serve("s", "first", json!({})).await?;
    second.ask("watch", json!({ "as": "w" })).await?;
    let nats = async_nats::connect(pair.nats.url()).await?;
    let deadly = [
        "null",
        "{}",
        "[]",
        "7",
        "",
        "{",
        "\u{0}",
        r#"{"Action":"get"}"#,
        r#"{"Action":"create","Service":null}"#,
        r#"{"Action":"create","Service":{"name":null,"nodes":[null]}}"#,
        r#"{"Action":7,"Service":[]}"#,
        r#"{"Service":{"name":"first","nodes":[{}]},"Action":"delete"}"#,
    ];
    for prefix in ["micro.nats", "micro.registry.nats"] {
        for payload in deadly {
            nats.publish(format!("{prefix}.query"), payload.into()).await?;
            nats.publish_with_reply(format!("{prefix}.query"), "nobody.there", payload.into())
                .await?;
            nats.publish(format!("{prefix}.watch"), payload.into()).await?;
        }
    }
    nats.flush().await?;
    let body = second
        .call("first", "Greeter.Hello", json!({ "name": "Ann" }), json!({}))
        .await?
        .body()?;
    ensure_eq(body, json!({ "msg": "Hello Ann" }))
}
