//! How a service describes itself to whoever lists its endpoints.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::registry::find_when;
use super::{Row, row};
use crate::runner::{Pair, Peer, ensure_eq, field};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("registry", "a service describes its endpoints", endpoints),
        row!("registry", "value trees are as Go's", value_trees),
        row!("registry", "what they describe can be called", described_call),
    ]
}

async fn found(peer: &Peer, service: &str) -> Result<Vec<Value>> {
    let found = find_when(peer, service, |found| found.len() == 1).await?;
    let endpoints = field(&found[0], "/endpoints")?.as_array().context("endpoints")?;
    Ok(endpoints.clone())
}

fn named<'a>(endpoints: &'a [Value], name: &str) -> Result<&'a Value> {
    let mut endpoints = endpoints.iter();
    endpoints
        .find(|endpoint| endpoint["name"] == name)
        .with_context(|| format!("no {name}"))
}

async fn endpoints(pair: &Pair) -> Result<()> {
    pair.serve_with(json!({ "topics": [{ "topic": "greetings", "kind": "json" }] }))
        .await?;
    let endpoints = found(&pair.asks, "fleet").await?;
    let hello = named(&endpoints, "Greeter.Hello")?;
    ensure_eq(field(hello, "/request/type")?, "HelloRequest")?;
    ensure_eq(field(hello, "/request/values/0/name")?, "name")?;
    ensure_eq(field(hello, "/request/values/0/type")?, "string")?;
    ensure_eq(field(hello, "/response/values/0/name")?, "msg")?;
    // go-micro tells these from v6 on.
    if !pair.serves.is_go {
        ensure_eq(field(hello, "/metadata/description")?, "Hello greets by name.")?;
        ensure_eq(field(hello, "/metadata/example")?, r#"{"name":"John"}"#)?;
        // Of a trait, what its doc comments say.
        let send = named(&endpoints, "Shop.Send")?;
        let said = "Answers with the parcel that it was given.";
        ensure_eq(field(send, "/metadata/description")?, said)?;
    }
    let chat = named(&endpoints, "Talk.Chat")?;
    ensure_eq(field(chat, "/metadata/stream")?, "true")?;
    let topic = endpoints
        .iter()
        .find(|endpoint| endpoint["metadata"]["topic"] == "greetings")
        .context("no topic")?;
    ensure_eq(field(topic, "/metadata/subscriber")?, "true")
}

/// The same types in both languages: all that Go tells of them, ours tells by the same names.
async fn value_trees(pair: &Pair) -> Result<()> {
    let (go, rust) = (pair.go().await?, pair.rust().await?);
    go.serve("s", "by-go", json!({})).await?;
    rust.serve("s", "by-rust", json!({})).await?;
    let theirs = found(&pair.asks, "by-go").await?;
    let ours = found(&pair.asks, "by-rust").await?;
    for endpoint in ["Greeter.Hello", "Shop.Send"] {
        let (theirs, ours) = (named(&theirs, endpoint)?, named(&ours, endpoint)?);
        for side in ["/request", "/response"] {
            let told = as_go_tells(field(theirs, side)?, field(ours, side)?)?;
            ensure!(told > 1, "{endpoint} has hardly anything to tell: {theirs}");
        }
    }
    Ok(())
}

/// Compares what Go tells of a value, down to its last field, and counts it. Go tells no type of a map.
fn as_go_tells(theirs: &Value, ours: &Value) -> Result<usize> {
    if theirs["type"] != "" {
        ensure_eq(&ours["type"], &theirs["type"])?;
    }
    ensure_eq(&ours["name"], &theirs["name"])?;
    let mut told = 1;
    for field in theirs["values"].as_array().into_iter().flatten() {
        let same = ours["values"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|ours| ours["name"] == field["name"])
            .with_context(|| format!("no {field} in {ours}"))?;
        told += as_go_tells(field, same)?;
    }
    Ok(told)
}

/// A value with a field of each kind goes there and comes back.
async fn described_call(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let parcel = json!({
        "id": 9_007_199_254_740_993_u64, "express": true, "weight": 0.25,
        "lines": [{ "item": "gear, 40 teeth", "count": -1 }, { "item": "<Zoë> & \u{2028}", "count": 7 }],
        "home": { "street": "", "where": { "latitude": 52.5 } },
        "notes": { "": "empty", "a\"b": "quoted" },
        "tags": [],
    });
    let body = pair.call("Shop.Send", parcel.clone(), json!({})).await?.body()?;
    ensure_eq(field(&body, "/parcel")?, &parcel)?;
    ensure_eq(field(&body, "/cents")?, 129_900)
}
