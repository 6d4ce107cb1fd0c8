//! Bodies as large as a message may be, and larger. A message has at most 1 MiB, and its body is in base64.

use std::time::Duration;

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::unary::alive;
use super::{Row, row};
use crate::runner::{Pair, within};

/// Its message just fits.
const FITS: usize = 767 * 1024;

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("unary", "a body at the limit", at_the_limit),
        row!("unary", "a body above the limit", above_the_limit),
        row!("unary", "an answer above the limit", answer_above_the_limit),
    ]
}

fn raw() -> Value {
    json!({ "kind": "raw", "content_type": "application/octet-stream", "timeout_ms": 3000 })
}

async fn at_the_limit(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let body = STANDARD.encode(vec![7; FITS]);
    let answer = pair.call("Raw.Echo", json!(body), raw()).await?.body()?;
    ensure!(answer == body, "another body came back");
    Ok(())
}

async fn above_the_limit(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let body = json!(STANDARD.encode(vec![7; 1024 * 1024]));
    let call = pair.call("Raw.Echo", body, raw());
    let outcome = within(Duration::ZERO, Duration::from_secs(2), call).await?;
    outcome.failed()?.has_code(500, "RESOURCE_EXHAUSTED")?;
    alive(pair).await
}

/// A Go server sends nothing then, so that its caller waits out its deadline; ours says what was wrong.
async fn answer_above_the_limit(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let outcome = pair
        .call(
            "Greeter.Big",
            json!({ "runs": 1024 * 1024 }),
            json!({ "timeout_ms": 3000 }),
        )
        .await?;
    let (number, name) = if pair.serves.is_go {
        (408, "DEADLINE_EXCEEDED")
    } else {
        (429, "RESOURCE_EXHAUSTED")
    };
    outcome.failed()?.has_code(number, name)?;
    alive(pair).await
}
