//! What a unary call can meet: success, metadata, deadlines, and what nobody serves.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Row, row};
use crate::runner::{Pair, ensure_eq, field, within};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("unary", "success", success),
        row!("unary", "many calls at once, each its own answer", many_at_once),
        row!("unary", "metadata reaches the handler", metadata),
        row!("unary", "the deadline reaches the handler", deadline_arrives),
        row!("unary", "a deadline ends the call, and it ran once", deadline),
        row!("unary", "a late answer is not taken for the next", late_answer),
        row!("unary", "a service that nobody registered", unknown_service),
        row!("unary", "an endpoint of an unknown type", unknown_type),
        row!("unary", "an unknown method", unknown_method),
        row!("unary", "an ill-formed endpoint", ill_formed),
        row!("unary", "an unknown content type", unknown_content_type),
        row!("unary", "a body that cannot be decoded", undecodable),
        row!("unary", "an empty body", empty_body),
    ]
}

async fn success(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let body = pair
        .call("Greeter.Hello", json!({ "name": "Ann" }), json!({}))
        .await?
        .body()?;
    ensure_eq(body, json!({ "msg": "Hello Ann" }))
}

async fn many_at_once(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let calls = (0..200).map(|n| async move {
        let body = pair
            .call("Greeter.Hello", json!({ "name": n.to_string() }), json!({}))
            .await?
            .body()?;
        ensure_eq(body, json!({ "msg": format!("Hello {n}") }))
    });
    futures::future::try_join_all(calls).await.map(drop)
}

async fn metadata(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let sent = json!({ "metadata": { "Foo": "bar", "Trace-Id": "0123", "Note": "a <b> & \"c\"" } });
    let body = pair.call("Greeter.Meta", json!({}), sent).await?.body()?;
    ensure_eq(field(&body, "/metadata/Foo")?, "bar")?;
    ensure_eq(field(&body, "/metadata/Trace-Id")?, "0123")?;
    ensure_eq(field(&body, "/metadata/Note")?, "a <b> & \"c\"")
}

async fn deadline_arrives(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let body = pair
        .call("Greeter.Meta", json!({}), json!({ "timeout_ms": 3000 }))
        .await?
        .body()?;
    let left = field(&body, "/remaining_ms")?.as_u64().unwrap_or_default();
    ensure!(left > 1000 && left <= 3000, "{left} ms were left of 3000");
    Ok(())
}

async fn deadline(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let (least, most) = (Duration::from_millis(300), Duration::from_millis(900));
    let call = sleep(pair, 1500, json!({ "timeout_ms": 300 }));
    let outcome = within(least, most, call).await?;
    outcome.failed()?.has_code(408, "DEADLINE_EXCEEDED")?;
    let body = pair
        .call("Greeter.Runs", json!({ "key": "k" }), json!({}))
        .await?
        .body()?;
    ensure_eq(field(&body, "/runs")?, 1)
}

async fn late_answer(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    for _ in 0..3 {
        sleep(pair, 300, json!({ "timeout_ms": 150 })).await?.failed()?;
        // The answers to these would be mistaken if the late one were taken for the first of them.
        for n in 0..20 {
            let body = pair
                .call("Greeter.Hello", json!({ "name": n.to_string() }), json!({}))
                .await?
                .body()?;
            ensure_eq(field(&body, "/msg")?, format!("Hello {n}").as_str())?;
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }
    Ok(())
}

async fn sleep(pair: &Pair, ms: u64, more: Value) -> Result<crate::runner::Outcome> {
    pair.call("Greeter.Sleep", json!({ "ms": ms, "key": "k" }), more)
        .await
}

async fn unknown_service(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let call = pair.asks.call("nobody", "Greeter.Hello", json!({}), json!({}));
    let outcome = within(Duration::ZERO, Duration::from_secs(2), call).await?;
    outcome.failed()?.has_code(500, "NOT_FOUND").map(drop)
}

async fn unknown_type(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let outcome = pair.call("Nope.Hello", json!({}), json!({})).await?;
    let failed = outcome.failed()?.says("rpc: can't find service Nope")?;
    failed.has_code(unimplemented(pair), "UNIMPLEMENTED").map(drop)
}

async fn unknown_method(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let outcome = pair.call("Greeter.Nope", json!({}), json!({})).await?;
    let failed = outcome.failed()?.says("rpc: can't find method Nope")?;
    failed.has_code(unimplemented(pair), "UNIMPLEMENTED").map(drop)
}

/// A Go server says it in bare text, without a number.
fn unimplemented(pair: &Pair) -> i32 {
    if pair.serves.is_go { 0 } else { 501 }
}

async fn ill_formed(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let number = if pair.serves.is_go { 0 } else { 400 };
    for endpoint in ["Nope", "A.B.C"] {
        let outcome = pair.call(endpoint, json!({}), json!({})).await?;
        outcome.failed()?.has_code(number, "INVALID_ARGUMENT")?;
    }
    alive(pair).await
}

async fn unknown_content_type(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    // Untyped, since a typed call of ours refuses it by itself.
    let kind = if pair.asks.is_go { "json" } else { "raw" };
    let body = if pair.asks.is_go {
        json!({ "name": "Ann" })
    } else {
        json!("e30K")
    };
    let sent = json!({ "kind": kind, "content_type": "application/x-unknown", "timeout_ms": 3000 });
    let call = pair.call("Greeter.Hello", body, sent);
    let outcome = within(Duration::ZERO, Duration::from_secs(2), call).await?;
    outcome.failed()?.has_code(501, "UNIMPLEMENTED")?;
    alive(pair).await
}

async fn undecodable(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let sent = json!({ "kind": "raw", "content_type": "application/json" });
    let number = if pair.serves.is_go { 0 } else { 400 };
    // "{" and "not json".
    for body in ["ew==", "bm90IGpzb24="] {
        let outcome = pair.call("Greeter.Hello", json!(body), sent.clone()).await?;
        // Of a Go server only the text of its decoder comes, so that nobody can know what it was.
        let code = if pair.serves.is_go {
            "UNKNOWN"
        } else {
            "INVALID_ARGUMENT"
        };
        outcome.failed()?.has_code(number, code)?;
    }
    alive(pair).await
}

async fn empty_body(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let raw = json!({ "kind": "raw", "content_type": "application/octet-stream" });
    let body = pair.call("Raw.Echo", json!(""), raw).await?.body()?;
    ensure!(body.is_null() || body == "", "found {body}");
    // An empty protobuf message has an empty body.
    let body = pair.call(
        "Pb.Hello",
        json!(""),
        json!({ "kind": "pb", "content_type": "application/protobuf" }),
    );
    ensure_eq(body.await?.body()?, Value::from("Hello "))
}

/// Whatever came before, the next call is answered.
pub(super) async fn alive(pair: &Pair) -> Result<()> {
    let body = pair
        .call("Greeter.Hello", json!({ "name": "Ann" }), json!({}))
        .await?
        .body()?;
    ensure_eq(body, json!({ "msg": "Hello Ann" }))
}
