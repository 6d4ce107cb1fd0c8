//! gRPC's route guide between what protoc-gen-micro makes of its .proto and what `micro-build` makes of it: one
//! message each way.

use anyhow::{Result, bail};
use micro_examples::routeguide::{FEATURES, Point};
use serde_json::{Value, json};

use super::{Row, row};
use crate::runner::{Direction, Outcome, Pair, SERVICE, ensure_eq};

pub(super) fn rows() -> Vec<Row> {
    let rows = vec![
        row!("generated clients", "one request, one answer", feature),
        row!("generated clients", "an error of the service", off_the_globe),
        row!("generated clients", "a service that is not there", not_there),
        row!("generated clients", "in JSON", in_json).only(Direction::GoRust),
    ];
    rows.into_iter().map(Row::of_the_guide).collect()
}

/// Has `serves` serve the guide, and waits until `asks` finds it: a Go registry gives up after a tenth of a second.
pub(super) async fn serve(pair: &Pair) -> Result<()> {
    let features: Vec<_> = (0..FEATURES.len()).map(place).collect();
    let known = json!({ "features": features });
    pair.serves.serve("s", SERVICE, known).await?;
    let mut last = None;
    for _ in 0..20 {
        last = ask(pair, "get_feature", json!({ "point": {} })).await?.failed;
        if last.is_none() {
            return Ok(());
        }
    }
    bail!("the guide is not found: {last:?}")
}

/// A feature that both guides know.
pub(super) fn place(index: usize) -> Value {
    let (name, north, east) = FEATURES[index];
    json!({ "name": name, "location": point(north, east) })
}

pub(super) fn point(north: f64, east: f64) -> Value {
    let point = Point::of(north, east);
    json!({ "latitude": point.latitude, "longitude": point.longitude })
}

/// Has `asks` call the guide.
pub(super) async fn ask(pair: &Pair, command: &str, with: Value) -> Result<Outcome> {
    let said = said(pair, command, with).await?;
    Ok(serde_json::from_value(said)?)
}

/// As [`ask`], and answers the line.
pub(super) async fn said(pair: &Pair, command: &str, mut with: Value) -> Result<Value> {
    with["service"] = SERVICE.into();
    with["timeout_ms"] = 10_000.into();
    pair.asks.ask(command, with).await
}

async fn feature(pair: &Pair) -> Result<()> {
    serve(pair).await?;
    for index in 0..FEATURES.len() {
        let known = place(index);
        let asked = json!({ "point": known["location"] });
        ensure_eq(ask(pair, "get_feature", asked).await?.body()?, known)?;
    }
    let nowhere = json!({ "point": point(1.0, -1.0) });
    let nothing = ask(pair, "get_feature", nowhere).await?.body()?;
    ensure_eq(nothing, json!({ "name": "", "location": point(1.0, -1.0) }))
}

async fn off_the_globe(pair: &Pair) -> Result<()> {
    serve(pair).await?;
    let asked = json!({ "point": point(90.1, 0.0) });
    let failed = ask(pair, "get_feature", asked).await?.failed()?;
    let failed = failed.has_code(400, "INVALID_ARGUMENT")?;
    failed.says("a point is on the globe").map(drop)
}

async fn not_there(pair: &Pair) -> Result<()> {
    let asked = json!({ "point": {}, "service": "nobody", "timeout_ms": 2_000 });
    let said = pair.asks.ask("get_feature", asked).await?;
    let outcome: Outcome = serde_json::from_value(said)?;
    outcome.failed()?.has_code(500, "NOT_FOUND").map(drop)
}

/// go-micro writes the names of the fields as they are in the .proto, and reads protobuf's mapping.
async fn in_json(pair: &Pair) -> Result<()> {
    serve(pair).await?;
    let known = place(2);
    let asked = json!({ "point": known["location"], "content_type": "application/json" });
    ensure_eq(ask(pair, "get_feature", asked).await?.body()?, known)?;
    let off = json!({ "point": point(90.1, 0.0), "content_type": "application/json" });
    let failed = ask(pair, "get_feature", off).await?.failed()?;
    failed.has_code(400, "INVALID_ARGUMENT").map(drop)
}
