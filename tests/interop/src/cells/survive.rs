//! What Go peers do that we must live with.

use std::time::Duration;

use anyhow::{Result, ensure};
use futures::StreamExt as _;
use serde_json::{Value, json};

use super::sniff::{body, envelope, header};
use super::streams::echo;
use super::unary::alive;
use super::{Row, row};
use crate::runner::{Direction, Pair, Peer, ensure_eq, field, within};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("survival", "an answer that comes twice", twice).only(Direction::RustGo),
        row!("survival", "answers without an id", without_id).only(Direction::RustGo),
        row!("survival", "a node that is gone is passed over", dead_node).only(Direction::RustGo),
        row!("survival", "a service of dead nodes fails at once", dead_service).only(Direction::RustGo),
        row!(
            "survival",
            "a corrupted stream is told as it came",
            corrupted_stream
        )
        .only(Direction::RustGo),
        row!("survival", "a killed server is noticed by its stream", killed).only(Direction::RustGo),
    ]
}

/// Puts a node into the Go registry that no process serves.
async fn register_node(peer: &Peer, service: &str, id: &str, address: &str) -> Result<()> {
    let node = json!({ "id": id, "address": address, "metadata": { "protocol": "mucp" } });
    let record = json!({ "name": service, "version": "1.0.0", "nodes": [node] });
    peer.ask("register", json!({ "service": record, "ttl_ms": 90_000 }))
        .await?;
    // A query of its own takes a Go registry so long that all others have heard of it.
    peer.ask("get", json!({ "name": service })).await.map(drop)
}

/// Serves `odd` in go-micro's manner, answering with what `answers` makes of the id and the name.
async fn odd_server(
    pair: &Pair,
    answers: fn(String, String) -> Vec<Vec<u8>>,
) -> Result<tokio::task::JoinHandle<()>> {
    register_node(&pair.serves, "odd", "odd-1", "odd.address").await?;
    let nats = async_nats::connect(pair.nats.url()).await?;
    let mut requests = nats.subscribe("odd.address").await?;
    nats.flush().await?;
    Ok(tokio::spawn(async move {
        while let Some(request) = requests.next().await {
            let id = header(&request.payload, "Micro-ID").unwrap_or_default();
            let name = body(&request.payload)
                .map(|body| body["name"].to_string())
                .unwrap_or_default();
            let Some(inbox) = request.reply else { continue };
            for answer in answers(id, name) {
                nats.publish(inbox.clone(), answer.into()).await.ok();
            }
        }
    }))
}

async fn answered_right(pair: &Pair) -> Result<()> {
    for n in 0..50 {
        let body = pair
            .asks
            .call("odd", "Greeter.Hello", json!({ "name": n }), json!({}))
            .await?
            .body()?;
        ensure_eq(field(&body, "/msg")?, n.to_string().as_str())?;
    }
    Ok(())
}

async fn twice(pair: &Pair) -> Result<()> {
    let server = odd_server(pair, |id, name| {
        let header = json!({ "Content-Type": "application/json", "Micro-ID": id });
        vec![envelope(header, json!({ "msg": name }).to_string().as_bytes()); 2]
    });
    let server = server.await?;
    let answered = answered_right(pair).await;
    server.abort();
    answered
}

async fn without_id(pair: &Pair) -> Result<()> {
    let server = odd_server(pair, |_, name| {
        let header = json!({ "Content-Type": "application/json" });
        vec![envelope(header, json!({ "msg": name }).to_string().as_bytes())]
    });
    let server = server.await?;
    let answered = answered_right(pair).await;
    server.abort();
    answered
}

async fn dead_node(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    register_node(&pair.serves, "fleet", "fleet-dead", "nobody.there").await?;
    for _ in 0..30 {
        within(Duration::ZERO, Duration::from_millis(500), alive(pair)).await?;
    }
    Ok(())
}

async fn dead_service(pair: &Pair) -> Result<()> {
    register_node(&pair.serves, "dead", "dead-1", "nobody.there").await?;
    let call = pair.asks.call("dead", "Greeter.Hello", json!({}), json!({}));
    let outcome = within(Duration::ZERO, Duration::from_secs(1), call).await?;
    outcome.failed()?.has_code(503, "UNAVAILABLE").map(drop)
}

/// A Go server that sends faster than it can overwrites what it has not sent yet. How many came is right, and all
/// are messages that it sent; that some are there twice is not for us to mend.
async fn corrupted_stream(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    pair.open("t", "Talk.Chat").await?;
    pair.send("t", json!([{ "do": "many", "n": 200 }])).await?;
    let received = pair.recv("t", 200).await?;
    let sent = |body: &Value| body["n"].as_u64().is_some_and(|n| n < 200);
    ensure!(
        received.failed.is_some() || received.bodies.len() == 200,
        "{} came, and no error",
        received.bodies.len()
    );
    ensure!(
        received.bodies.iter().all(sent),
        "messages that were never sent: {:?}",
        received.bodies
    );
    Ok(())
}

async fn killed(pair: &Pair) -> Result<()> {
    let go = pair.go().await?;
    go.serve("s", "fleet", json!({})).await?;
    pair.open("t", "Talk.Chat").await?;
    echo(pair, "t", "hello").await?;
    drop(go);
    let noticed = async {
        loop {
            let sent = pair.send("t", json!([{ "do": "quiet" }])).await?;
            if !sent.is_null() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within(Duration::ZERO, Duration::from_secs(5), noticed).await?;
    let received = pair.recv("t", 1).await?;
    let Some(failed) = received.failed else {
        anyhow::bail!("the stream ended as if all were well")
    };
    failed.has_code(503, "UNAVAILABLE").map(drop)
}
