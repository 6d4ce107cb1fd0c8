//! How streams end, and what is no stream.

use anyhow::{Result, ensure};
use serde_json::json;

use super::streams::echo;
use super::unary::alive;
use super::{Row, row};
use crate::runner::{Pair, ensure_eq};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("streams", "ended by the client", by_the_client),
        row!("streams", "ended by the server", by_the_server),
        row!("streams", "ended by an error of the server", by_an_error),
        row!("streams", "opened on a unary method", on_a_unary_method),
        row!("streams", "opened on what nobody serves", on_nothing),
        row!("streams", "a unary call of a stream's endpoint", unary_call),
    ]
}

/// The server learns of it.
async fn by_the_client(pair: &Pair) -> Result<()> {
    let mut ended = pair.serves.events("s.ended");
    pair.serve().await?;
    pair.open("t", "Talk.Chat").await?;
    echo(pair, "t", "hello").await?;
    pair.close("t").await?;
    ended.next().await?;
    alive(pair).await
}

async fn by_the_server(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    pair.open("t", "Talk.Chat").await?;
    echo(pair, "t", "hello").await?;
    pair.send("t", json!([{ "do": "end" }])).await?;
    let received = pair.recv("t", 1).await?;
    ensure!(received.ended && received.failed.is_none(), "{received:?}");
    alive(pair).await
}

async fn by_an_error(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    pair.open("t", "Talk.Chat").await?;
    echo(pair, "t", "hello").await?;
    pair.send("t", json!([{ "do": "fail", "n": 400, "text": "bad line" }]))
        .await?;
    let received = pair.recv("t", 1).await?;
    ensure!(received.ended, "{received:?}");
    let Some(failed) = received.failed else {
        anyhow::bail!("it ended without an error")
    };
    ensure_eq(
        failed.has_code(400, "INVALID_ARGUMENT")?.detail.as_str(),
        "bad line",
    )?;
    alive(pair).await
}

/// The opening message is the request then, and the answer is the one message that comes.
async fn on_a_unary_method(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    pair.open("t", "Greeter.Hello").await?;
    let received = pair.recv("t", 1).await?;
    ensure_eq(received.bodies, [json!({ "msg": "Hello " })])?;
    pair.close("t").await?;
    alive(pair).await
}

async fn on_nothing(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    pair.open("t", "Talk.Nope").await?;
    let received = pair.recv("t", 1).await?;
    let Some(failed) = received.failed else {
        anyhow::bail!("no error: {:?}", received.bodies)
    };
    failed.says("rpc: can't find method Nope")?;
    pair.close("t").await?;
    alive(pair).await
}

/// A Go server waits for messages that never come; ours says that it is a stream.
async fn unary_call(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let outcome = pair
        .call("Talk.Chat", json!({ "do": "end" }), json!({ "timeout_ms": 1000 }))
        .await?;
    match pair.serves.is_go {
        true => drop(outcome),
        false => drop(outcome.failed()?.has_code(501, "UNIMPLEMENTED")?),
    }
    alive(pair).await
}
