//! Streams while they are open.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Row, row};
use crate::runner::{Direction, Pair, ensure_eq, field};

pub(super) fn rows() -> Vec<Row> {
    let most = Duration::from_secs(150);
    vec![
        row!("streams", "open, and a message each way", open),
        row!("streams", "many messages each way, in order", many),
        row!(
            "streams",
            "a thousand messages to the server at once",
            many_to_the_server
        ),
        row!(
            "streams",
            "a thousand messages from the server at once",
            many_from_the_server
        )
        .only(Direction::GoRust),
        row!("streams", "fifty streams side by side", side_by_side),
        row!("streams", "idle for 90 s", idle).waits(most),
    ]
}

async fn open(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    ensure_eq(pair.open("t", "Talk.Chat").await?, Value::Null)?;
    echo(pair, "t", "first").await
}

async fn many(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    pair.open("t", "Talk.Chat").await?;
    for n in 0..300 {
        echo(pair, "t", &format!("line {n}")).await?;
    }
    Ok(())
}

/// The server counts what it got before the question for the count.
async fn many_to_the_server(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    pair.open("t", "Talk.Chat").await?;
    let mut lines = vec![json!({ "do": "quiet" }); 1000];
    lines.push(json!({ "do": "count" }));
    ensure_eq(pair.send("t", json!(lines)).await?, Value::Null)?;
    let received = pair.recv("t", 1).await?;
    ensure_eq(field(&json!(received.bodies), "/0/n")?, 1000)
}

/// A Go server overwrites what it has not sent yet, which is its own defect; ours does not.
async fn many_from_the_server(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    pair.open("t", "Talk.Chat").await?;
    pair.send("t", json!([{ "do": "many", "n": 1000 }])).await?;
    let received = pair.recv("t", 1000).await?;
    let numbers: Vec<_> = received
        .bodies
        .iter()
        .filter_map(|body| body["n"].as_u64())
        .collect();
    ensure_eq(numbers, (0..1000).collect::<Vec<_>>())
}

async fn side_by_side(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let talks = (0..50).map(|n| async move {
        let name = format!("t{n}");
        pair.open(&name, "Talk.Chat").await?;
        for m in 0..5 {
            echo(pair, &name, &format!("{n} {m}")).await?;
        }
        pair.close(&name).await
    });
    futures::future::try_join_all(talks).await.map(drop)
}

/// A socket of a Go server ends after 60 s without a message from its client, and says nothing of it.
async fn idle(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    pair.open("t", "Talk.Chat").await?;
    echo(pair, "t", "before").await?;
    tokio::time::sleep(Duration::from_secs(90)).await;
    echo(pair, "t", "after").await
}

/// Says something, and hears it again.
pub(super) async fn echo(pair: &Pair, stream: &str, text: &str) -> Result<()> {
    ensure_eq(
        pair.send(stream, json!([{ "do": "echo", "text": text }])).await?,
        Value::Null,
    )?;
    let received = pair.recv(stream, 1).await?;
    ensure!(!received.ended, "the stream ended: {received:?}");
    ensure_eq(field(&json!(received.bodies), "/0/text")?, text)
}
