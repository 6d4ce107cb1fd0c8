//! The route guide's streams, between generated clients and servers.

use anyhow::{Context as _, Result, ensure};
use micro_examples::routeguide::FEATURES;
use serde_json::{Value, json};

use super::guide::{ask, place, point, said, serve};
use super::{Row, row};
use crate::runner::{Direction, Pair, Received, ensure_eq, field};

pub(super) fn rows() -> Vec<Row> {
    let rows = vec![
        row!("generated clients", "one request, many answers", list),
        row!("generated clients", "one request, ten answers", list_all).only(Direction::GoRust),
        row!("generated clients", "many requests, one answer", record),
        row!("generated clients", "many requests, many answers", chat),
        row!("generated clients", "streams in JSON", in_json).only(Direction::GoRust),
        row!("generated clients", "an error of each stream", errors),
    ];
    rows.into_iter().map(Row::of_the_guide).collect()
}

/// One feature: a Go server overwrites what it has not sent yet, which is its own defect.
async fn list(pair: &Pair) -> Result<()> {
    serve(pair).await?;
    let around = json!({ "lo": point(50.0, 15.0), "hi": point(51.0, 16.0) });
    lists(pair, json!({ "rectangle": around }), &[place(2)]).await?;
    let sea = json!({ "lo": point(0.0, 0.0), "hi": point(1.0, 1.0) });
    lists(pair, json!({ "rectangle": sea }), &[]).await
}

async fn list_all(pair: &Pair) -> Result<()> {
    serve(pair).await?;
    let all: Vec<_> = (0..FEATURES.len()).map(place).collect();
    lists(pair, json!({ "rectangle": globe() }), &all).await
}

fn globe() -> Value {
    json!({ "lo": point(-90.0, -180.0), "hi": point(90.0, 180.0) })
}

async fn lists(pair: &Pair, asked: Value, expected: &[Value]) -> Result<()> {
    let received = hear(pair, "list_features", asked).await?;
    ensure!(received.ended && received.failed.is_none(), "{received:?}");
    ensure_eq(received.bodies, expected)
}

async fn hear(pair: &Pair, command: &str, with: Value) -> Result<Received> {
    Ok(serde_json::from_value(said(pair, command, with).await?)?)
}

/// Both kinds of server get all points, in order, and learn that the route has ended. The summary that they answer
/// reaches our caller. A Go caller cannot read it, from no server: its generated client has no `Recv` here, its
/// `CloseSend` fails, and `Close`, which is what ends the route, ends both ways.
async fn record(pair: &Pair) -> Result<()> {
    let mut recorded = pair.serves.events("s.recorded");
    serve(pair).await?;
    let mut points: Vec<_> = (0..FEATURES.len())
        .map(|at| place(at)["location"].take())
        .collect();
    points.push(point(0.0, 0.0));
    let answer = said(pair, "record_route", json!({ "points": points })).await?;
    let summary = recorded.next().await?;
    ensure_eq(field(&summary, "/pointCount")?, points.len())?;
    ensure_eq(field(&summary, "/featureCount")?, FEATURES.len())?;
    match pair.asks.is_go {
        false => ensure_eq(answer, json!({ "body": summary, "failed": null })),
        true => cannot_read(&answer),
    }
}

fn cannot_read(answer: &Value) -> Result<()> {
    ensure_eq(answer["close_send"].as_str(), Some("streamer not implemented"))?;
    let failed = field(answer, "/failed/detail")?;
    ensure_eq(failed.as_str(), Some("connection is shut down"))
}

/// A note is answered, before the next is written, by the one that was left at its place.
async fn chat(pair: &Pair) -> Result<()> {
    serve(pair).await?;
    let notes = [
        (0, "crowded", 0),
        (1, "high", 0),
        (0, "still crowded", 1),
        (1, "windy", 1),
    ];
    let notes = notes.map(|(at, text, answers)| json!({ "note": note(at, text), "answers": answers }));
    let received = hear(pair, "route_chat", json!({ "notes": notes })).await?;
    ensure!(received.failed.is_none(), "{received:?}");
    ensure_eq(received.bodies, [note(0, "crowded"), note(1, "high")])
}

fn note(at: usize, text: &str) -> Value {
    json!({ "location": place(at)["location"], "message": text })
}

/// go-micro's JSON has the names of the .proto; ours reads both, and answers what go-micro reads.
async fn in_json(pair: &Pair) -> Result<()> {
    let mut recorded = pair.serves.events("s.recorded");
    serve(pair).await?;
    let all: Vec<_> = (0..FEATURES.len()).map(place).collect();
    let json = "application/json";
    lists(pair, json!({ "rectangle": globe(), "content_type": json }), &all).await?;
    let points = [place(0)["location"].take()];
    said(
        pair,
        "record_route",
        json!({ "points": points, "content_type": json }),
    )
    .await?;
    ensure_eq(field(&recorded.next().await?, "/featureCount")?, 1)?;
    let notes =
        ["one", "two"].map(|text| json!({ "note": note(0, text), "answers": u8::from(text == "two") }));
    let received = hear(
        pair,
        "route_chat",
        json!({ "notes": notes, "content_type": json }),
    )
    .await?;
    ensure_eq(received.bodies, [note(0, "one")])
}

async fn errors(pair: &Pair) -> Result<()> {
    serve(pair).await?;
    let received = hear(pair, "list_features", json!({ "rectangle": {} })).await?;
    refused(received, "a rectangle has two corners")?;
    let notes = json!([{ "note": { "message": "nowhere" }, "answers": 1 }]);
    let received = hear(pair, "route_chat", json!({ "notes": notes })).await?;
    refused(received, "a note is left somewhere")?;
    // Both go on after that.
    ask(pair, "get_feature", json!({ "point": {} }))
        .await?
        .body()
        .map(drop)
}

fn refused(received: Received, why: &str) -> Result<()> {
    ensure!(received.bodies.is_empty(), "{received:?}");
    let failed = received.failed.context("it did not fail")?;
    failed.has_code(400, "INVALID_ARGUMENT")?.says(why).map(drop)
}
