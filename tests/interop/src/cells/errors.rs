//! What a handler fails with, as its caller sees it.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::unary::alive;
use super::{Row, row};
use crate::runner::{Direction, Pair, ensure_eq, within};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("errors", "errors.Error: id, code, detail", micro_error),
        row!("errors", "a plain error", plain_error),
        row!("errors", "a panic", panics),
        row!("errors", "a Go error relayed by us is unchanged", relayed).only(Direction::GoRust),
    ]
}

async fn micro_error(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    for (number, name) in [
        (404, "NOT_FOUND"),
        (400, "INVALID_ARGUMENT"),
        (503, "UNAVAILABLE"),
    ] {
        let detail = format!("no \"Ann\" <{number}>");
        let fail = json!({ "id": "fleet", "code": number, "detail": detail });
        let failed = pair
            .call("Greeter.Fail", fail, json!({}))
            .await?
            .failed()?
            .has_code(number, name)?;
        ensure_eq(failed.id.as_str(), "fleet")?;
        ensure_eq(failed.detail, detail)?;
    }
    Ok(())
}

async fn plain_error(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let number = if pair.serves.is_go { 0 } else { 500 };
    let failed = pair
        .call("Greeter.Plain", json!({ "name": "Ann" }), json!({}))
        .await?
        .failed()?;
    ensure_eq(failed.has_code(number, "UNKNOWN")?.detail.as_str(), "plain Ann")
}

/// A Go server does not answer then; ours does, at once.
async fn panics(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let call = pair.call(
        "Greeter.Panic",
        json!({ "name": "x" }),
        json!({ "timeout_ms": 1000 }),
    );
    let outcome = within(Duration::ZERO, Duration::from_secs(2), call).await?;
    let failed = outcome.failed()?;
    match pair.serves.is_go {
        true => failed.has_code(408, "DEADLINE_EXCEEDED")?,
        false => failed.has_code(500, "INTERNAL")?.says("panicked")?,
    };
    alive(pair).await
}

/// A Go caller, a Rust service between, a Go service that fails.
async fn relayed(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let go = pair.go().await?;
    go.serve("g", "behind", json!({})).await?;
    for (id, code, detail) in [("x", 418, "short"), ("behind", 404, "nobody"), ("", 500, "oops")] {
        let fail = json!({ "service": "behind", "id": id, "code": code, "detail": detail });
        let failed = pair.call("Relay.Fail", fail, json!({})).await?.failed()?;
        ensure_eq(
            (failed.id.as_str(), failed.code, failed.detail.as_str()),
            (id, code, detail),
        )?;
    }
    Ok(())
}
