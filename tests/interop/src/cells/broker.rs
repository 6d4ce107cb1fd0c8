//! Events: `asks` publishes, `serves` is told.

use std::time::Duration;

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Row, row};
use crate::runner::{Events, Pair, Peer, ensure_eq, field};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("broker", "raw publish and subscribe", raw),
        row!("broker", "a wildcard", wildcard),
        row!("broker", "a typed event in JSON", typed_json),
        row!("broker", "a typed event in protobuf", typed_protobuf),
        row!("broker", "a queue group of both kinds", queue_group),
        row!(
            "broker",
            "a queue group of services of both kinds",
            typed_queue_group
        ),
        row!("broker", "an event that cannot be read harms nobody", unreadable),
        row!("broker", "nothing comes after unsubscribe", unsubscribe),
    ]
}

async fn subscribe(peer: &Peer, name: &str, topic: &str, queue: &str) -> Result<Events> {
    let events = peer.events(name);
    peer.ask("subscribe", json!({ "as": name, "topic": topic, "queue": queue }))
        .await?;
    Ok(events)
}

async fn publish(peer: &Peer, topic: &str, header: Value, body: &[u8]) -> Result<()> {
    let args = json!({ "topic": topic, "header": header, "body": STANDARD.encode(body) });
    peer.ask("publish", args).await.map(drop)
}

async fn raw(pair: &Pair) -> Result<()> {
    let mut events = subscribe(&pair.serves, "e", "news.local", "").await?;
    let header = json!({ "Kind": "a <b> & c", "kind": "lower" });
    for body in [&b"\x00\xff bytes"[..], b""] {
        publish(&pair.asks, "news.local", header.clone(), body).await?;
        let event = events.next().await?;
        ensure_eq(field(&event, "/topic")?, "news.local")?;
        ensure_eq(field(&event, "/header")?, &header)?;
        let came = event["body"].as_str().unwrap_or_default();
        ensure_eq(came, STANDARD.encode(body))?;
    }
    Ok(())
}

async fn wildcard(pair: &Pair) -> Result<()> {
    let mut events = subscribe(&pair.serves, "e", "news.*", "").await?;
    publish(&pair.asks, "other.local", json!({}), b"no").await?;
    publish(&pair.asks, "news.local", json!({}), b"yes").await?;
    let event = events.next().await?;
    ensure_eq(field(&event, "/body")?, STANDARD.encode("yes").as_str())
}

async fn typed_json(pair: &Pair) -> Result<()> {
    let event = typed(pair, "json", "application/json", json!({ "name": "Ann" })).await?;
    ensure_eq(field(&event, "/body/name")?, "Ann")
}

async fn typed_protobuf(pair: &Pair) -> Result<()> {
    let event = typed(pair, "pb", "application/protobuf", json!("Ann")).await?;
    ensure_eq(field(&event, "/body")?, "Ann")
}

/// A subscriber of a service gets it decoded, with the publisher's metadata.
async fn typed(pair: &Pair, kind: &str, content_type: &str, body: Value) -> Result<Value> {
    let mut events = pair.serves.events("s.event");
    pair.serve_with(json!({ "topics": [{ "topic": "greetings", "kind": kind }] }))
        .await?;
    let args = json!({
        "topic": "greetings", "kind": kind, "content_type": content_type, "body": body, "metadata": { "Foo": "bar" },
    });
    pair.asks.ask("publish_typed", args).await?;
    let event = events.next().await?;
    ensure_eq(field(&event, "/metadata/Foo")?, "bar")?;
    Ok(event)
}

/// Each event goes to one member; with 1,000 both kinds get a share.
async fn queue_group(pair: &Pair) -> Result<()> {
    let (go, rust) = (pair.go().await?, pair.rust().await?);
    let mut members = Vec::new();
    for peer in [&go, &rust] {
        for n in 0..2 {
            members.push(subscribe(peer, &format!("m{n}"), "work", "group").await?);
        }
    }
    let mut all = subscribe(&pair.serves, "all", "work", "").await?;
    for _ in 0..1000 {
        publish(&pair.asks, "work", json!({}), b"work").await?;
    }
    for _ in 0..1000 {
        all.next().await?;
    }
    // What the plain subscriber has, the group was sent before; give the slowest member time to be told.
    let mut shares = vec![0; members.len()];
    for _ in 0..100 {
        for (share, member) in shares.iter_mut().zip(&mut members) {
            *share += member.so_far().len();
        }
        if shares.iter().sum::<usize>() >= 1000 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ensure_eq(shares.iter().sum::<usize>(), 1000)?;
    ensure!(shares.iter().all(|&share| share > 0), "shares {shares:?}");
    Ok(())
}

/// Subscribers of services, and typed events: each event is handled by one of them.
async fn typed_queue_group(pair: &Pair) -> Result<()> {
    const EVENTS: usize = 400;
    let (go, rust) = (pair.go().await?, pair.rust().await?);
    let topic = json!({ "topics": [{ "topic": "work", "queue": "group", "kind": "json" }] });
    let mut members = Vec::new();
    for peer in [&go, &rust] {
        for (here, service) in [("a", "first"), ("b", "second")] {
            members.push(peer.events(&format!("{here}.event")));
            peer.serve(here, service, topic.clone()).await?;
        }
    }
    for n in 0..EVENTS {
        let event = json!({ "topic": "work", "kind": "json", "content_type": "application/json", "body": { "name": n.to_string() } });
        pair.asks.ask("publish_typed", event).await?;
    }
    let mut handled = Vec::new();
    let mut shares = vec![0; members.len()];
    let all = async {
        while handled.len() < EVENTS {
            for (share, member) in shares.iter_mut().zip(&mut members) {
                let new = member.so_far();
                *share += new.len();
                handled.extend(new.iter().map(|event| event["body"]["name"].to_string()));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all).await?;
    handled.sort_unstable();
    handled.dedup();
    ensure_eq(handled.len(), EVENTS)?;
    ensure!(shares.iter().all(|&share| share > 0), "shares {shares:?}");
    Ok(())
}

async fn unreadable(pair: &Pair) -> Result<()> {
    let mut events = subscribe(&pair.serves, "e", "news", "").await?;
    let nats = async_nats::connect(pair.nats.url()).await?;
    for payload in [
        &b"not json"[..],
        b"null",
        b"[]",
        b"",
        br#"{"Header":null,"Body":"!"}"#,
        b"{\"Header\":{\"a\":\"\xff\"}}",
    ] {
        nats.publish("news", payload.to_vec().into()).await?;
    }
    nats.flush().await?;
    publish(&pair.asks, "news", json!({}), b"readable").await?;
    let wanted = STANDARD.encode("readable");
    events
        .find(|event| event["body"] == wanted.as_str())
        .await
        .map(drop)
}

async fn unsubscribe(pair: &Pair) -> Result<()> {
    let mut gone = subscribe(&pair.serves, "gone", "news", "").await?;
    let mut stays = subscribe(&pair.serves, "stays", "news", "").await?;
    pair.serves.ask("unsubscribe", json!({ "as": "gone" })).await?;
    publish(&pair.asks, "news", json!({}), b"x").await?;
    stays.next().await?;
    ensure_eq(gone.so_far(), Vec::<Value>::new())
}
