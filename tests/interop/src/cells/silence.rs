//! Go servers that fall silent: how soon their callers are told.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::streams::echo;
use super::{Row, row};
use crate::runner::{Direction, Pair, Peer, ensure_eq, field, within};

/// What is documented, and a little for a busy machine.
const GONE: Duration = Duration::from_secs(15 + 3);
const FROZEN: Duration = Duration::from_secs(75 + 5);

pub(super) fn rows() -> Vec<Row> {
    let rows = vec![
        row!(
            "silence",
            "a call to a server that is killed ends",
            killed_in_a_call
        ),
        row!(
            "silence",
            "a silent stream to a killed server ends",
            killed_unsaid
        ),
        row!("silence", "a silent stream to a frozen server ends", frozen),
    ];
    let only = |row: Row| row.only(Direction::RustGo).waits(Duration::from_secs(150));
    rows.into_iter().map(only).collect()
}

/// A server of its own, so that the pair lives on when it is killed.
async fn server(pair: &Pair) -> Result<Peer> {
    let go = pair.go().await?;
    go.serve("s", "fleet", json!({})).await?;
    Ok(go)
}

/// It is asked whether it is there once a second, by a ping that reaches nobody then.
async fn killed_in_a_call(pair: &Pair) -> Result<()> {
    let go = server(pair).await?;
    let call = pair.call(
        "Greeter.Sleep",
        json!({ "ms": 60_000, "key": "k" }),
        json!({ "timeout_ms": 60_000 }),
    );
    let killed = async {
        loop {
            let runs = pair
                .call("Greeter.Runs", json!({ "key": "k" }), json!({}))
                .await?;
            if runs.body()?["runs"] == 1 {
                drop(go);
                return Ok(());
            }
        }
    };
    let both = async {
        let (outcome, killed) = tokio::join!(call, killed);
        killed.and(outcome)
    };
    let outcome = within(Duration::ZERO, Duration::from_secs(5), both).await?;
    outcome.failed()?.has_code(503, "UNAVAILABLE").map(drop)
}

async fn killed_unsaid(pair: &Pair) -> Result<()> {
    let go = server(pair).await?;
    pair.open("t", "Talk.Chat").await?;
    echo(pair, "t", "hello").await?;
    drop(go);
    within(Duration::ZERO, GONE, ended(pair)).await
}

/// Its process is stopped, and so takes messages and answers none.
async fn frozen(pair: &Pair) -> Result<()> {
    let go = server(pair).await?;
    pair.open("t", "Talk.Chat").await?;
    echo(pair, "t", "hello").await?;
    go.freeze().await?;
    within(Duration::from_secs(55), FROZEN, ended(pair)).await
}

/// Waits for a message, and gets the end instead.
async fn ended(pair: &Pair) -> Result<()> {
    let args = json!({ "stream": "t", "count": 1, "timeout_ms": 120_000 });
    let received = pair.asks.ask("recv", args).await?;
    ensure_eq(field(&received, "/bodies")?, &Value::from(Vec::<Value>::new()))?;
    match field(&received, "/failed/grpc")
        .context("it ended as if all were well")?
        .as_str()
    {
        Some("UNAVAILABLE") => Ok(()),
        other => bail!("it ended with {other:?}: {received}"),
    }
}
