//! One call in each content type that go-micro knows; the caller chooses, the server obeys.

use anyhow::Result;
use serde_json::{Value, json};

use super::{Row, row};
use crate::runner::{Generation, Pair, ensure_eq, field};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("content types", "application/json", json_body),
        row!("content types", "application/protobuf", protobuf),
        row!("content types", "application/octet-stream", octet_stream),
        row!("content types", "application/json-rpc", json_rpc),
        row!("content types", "application/proto-rpc", proto_rpc),
        row!("content types", "application/grpc+proto", grpc_proto),
        row!("content types", "application/grpc+json", grpc_json),
        row!(
            "content types",
            "an error in application/json-rpc",
            json_rpc_error
        ),
        row!(
            "content types",
            "an error in application/proto-rpc",
            proto_rpc_error
        ),
        row!(
            "content types",
            "an error in application/grpc+json",
            grpc_json_error
        ),
        row!(
            "content types",
            "an error in protobuf and grpc+proto",
            errors_in_protobuf
        ),
        row!(
            "content types",
            "an error in application/octet-stream",
            error_in_octet_stream
        ),
        row!("content types", "a service called in all of them", all_of_them),
    ]
}

async fn json_body(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    hello(pair, "application/json").await
}

async fn json_rpc(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    hello(pair, "application/json-rpc").await
}

async fn grpc_json(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    hello(pair, "application/grpc+json").await
}

async fn protobuf(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    pb_hello(pair, "application/protobuf").await
}

async fn proto_rpc(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    pb_hello(pair, "application/proto-rpc").await
}

async fn grpc_proto(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    pb_hello(pair, "application/grpc+proto").await
}

async fn octet_stream(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    raw_echo(pair).await
}

async fn json_rpc_error(pair: &Pair) -> Result<()> {
    error(pair, "application/json-rpc").await
}

async fn grpc_json_error(pair: &Pair) -> Result<()> {
    error(pair, "application/grpc+json").await
}

async fn proto_rpc_error(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let typed = json!({ "kind": "pb", "content_type": "application/proto-rpc" });
    let outcome = pair.call("Pb.Nope", json!("Ann"), typed).await?;
    outcome.failed()?.says("can't find method Nope").map(drop)
}

/// What nobody serves, asked for in the types whose bodies have no place for an error. A Go server of v2 answers nothing
/// then in the plain one.
async fn errors_in_protobuf(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    for content_type in ["application/protobuf", "application/grpc+proto"] {
        let typed = json!({ "kind": "pb", "content_type": content_type, "timeout_ms": 1000 });
        let failed = pair.call("Pb.Nope", json!("Ann"), typed).await?.failed()?;
        let silent =
            pair.serves.is_go && pair.generation == Generation::V2 && content_type == "application/protobuf";
        match silent {
            true => failed.has_code(408, "DEADLINE_EXCEEDED")?,
            false => failed.says("can't find method Nope")?,
        };
    }
    Ok(())
}

/// A Go server answers nothing then, and a Go caller learns that something failed, and not what.
async fn error_in_octet_stream(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    let typed = json!({ "kind": "raw", "content_type": "application/octet-stream", "timeout_ms": 1000 });
    let failed = pair.call("Raw.Nope", json!("AP8="), typed).await?.failed()?;
    failed.has_code(500, "DEADLINE_EXCEEDED").map(drop)
}

async fn all_of_them(pair: &Pair) -> Result<()> {
    pair.serve().await?;
    for _ in 0..3 {
        for content_type in [
            "application/json",
            "application/json-rpc",
            "application/grpc+json",
        ] {
            hello(pair, content_type).await?;
        }
        for content_type in [
            "application/protobuf",
            "application/proto-rpc",
            "application/grpc+proto",
        ] {
            pb_hello(pair, content_type).await?;
        }
        raw_echo(pair).await?;
    }
    Ok(())
}

async fn hello(pair: &Pair, content_type: &str) -> Result<()> {
    // Twice, since the second finds what the first left behind.
    for name in ["Ann", "<Bob> & \"Zoë\""] {
        let typed = json!({ "content_type": content_type });
        let body = pair
            .call("Greeter.Hello", json!({ "name": name }), typed)
            .await?
            .body()?;
        ensure_eq(field(&body, "/msg")?, format!("Hello {name}").as_str())?;
    }
    Ok(())
}

async fn pb_hello(pair: &Pair, content_type: &str) -> Result<()> {
    for name in ["Ann", "Zoë"] {
        let typed = json!({ "kind": "pb", "content_type": content_type });
        let body = pair.call("Pb.Hello", json!(name), typed).await?.body()?;
        ensure_eq(body, Value::from(format!("Hello {name}")))?;
    }
    Ok(())
}

async fn raw_echo(pair: &Pair) -> Result<()> {
    let typed = json!({ "kind": "raw", "content_type": "application/octet-stream" });
    let body = pair.call("Raw.Echo", json!("AP/+AAEC"), typed).await?.body()?;
    ensure_eq(body, Value::from("AP/+AAEC"))
}

async fn error(pair: &Pair, content_type: &str) -> Result<()> {
    pair.serve().await?;
    let fail = json!({ "id": "fleet", "code": 404, "detail": "no Ann" });
    let outcome = pair
        .call("Greeter.Fail", fail, json!({ "content_type": content_type }))
        .await?;
    outcome
        .failed()?
        .has_code(404, "NOT_FOUND")?
        .says("no Ann")
        .map(drop)
}
