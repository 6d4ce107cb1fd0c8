//! go-micro's own command line tool, as it is, beside a service of ours.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{Row, row};
use crate::runner::{Direction, Generation, Pair, ensure_eq, field};

pub(super) fn rows() -> Vec<Row> {
    let rows = vec![
        row!("micro, the tool", "micro services lists a service", services),
        row!("micro, the tool", "micro describe shows its endpoints", describe),
        row!("micro, the tool", "micro call calls it", call),
        row!("micro, the tool", "micro call shows its error", call_fails),
        row!("micro, the tool", "micro makes flags of its fields", flags),
    ];
    let only = |row: Row| row.only(Direction::GoRust).with(Generation::V5);
    rows.into_iter().map(only).collect()
}

/// What the tool prints. It asks the registry for a tenth of a second, so that it may have to ask again.
async fn said(pair: &Pair, args: &[&str], wanted: impl Fn(&str) -> bool) -> Result<String> {
    let mut said = String::new();
    for _ in 0..20 {
        said = pair.micro(args).await?;
        if wanted(&said) {
            return Ok(said);
        }
    }
    anyhow::bail!("micro {} said {said:?}", args.join(" "))
}

async fn services(pair: &Pair) -> Result<()> {
    pair.serves.serve("s", "fleet", json!({})).await?;
    let listed = |said: &str| said.lines().any(|line| line == "fleet");
    said(pair, &["services"], listed).await.map(drop)
}

async fn describe(pair: &Pair) -> Result<()> {
    pair.serves.serve("s", "fleet", json!({})).await?;
    let shown = said(pair, &["describe", "fleet"], |said| said.starts_with('{')).await?;
    let shown: Value = serde_json::from_str(&shown)?;
    ensure_eq(field(&shown, "/version")?, "1.0.0")?;
    let endpoints = field(&shown, "/endpoints")?.as_array().context("endpoints")?;
    let named = |name: &str| {
        let mut endpoints = endpoints.iter();
        let found = endpoints.find(|endpoint| endpoint["name"] == name);
        found.with_context(|| format!("no {name}"))
    };
    let send = named("Shop.Send")?;
    let said = "Answers with the parcel that it was given.";
    ensure_eq(field(send, "/metadata/description")?, said)?;
    let hello = named("Greeter.Hello")?;
    ensure_eq(field(hello, "/metadata/description")?, "Hello greets by name.")?;
    ensure_eq(field(hello, "/metadata/example")?, r#"{"name":"John"}"#)?;
    ensure_eq(field(hello, "/request/values/0/name")?, "name")?;
    ensure_eq(field(hello, "/request/values/0/type")?, "string")?;
    ensure_eq(field(hello, "/response/type")?, "HelloReply")
}

async fn call(pair: &Pair) -> Result<()> {
    pair.serves.serve("s", "fleet", json!({})).await?;
    let args = ["call", "fleet", "Greeter.Hello", r#"{"name":"Ann"}"#];
    let answer = said(pair, &args, |said| said.contains("Hello")).await?;
    ensure_eq(
        serde_json::from_str::<Value>(&answer)?,
        json!({ "msg": "Hello Ann" }),
    )
}

async fn call_fails(pair: &Pair) -> Result<()> {
    pair.serves.serve("s", "fleet", json!({})).await?;
    let fail = r#"{"id":"fleet","code":404,"detail":"no Ann"}"#;
    let args = ["call", "fleet", "Greeter.Fail", fail];
    let error = said(pair, &args, |said| said.contains("no Ann")).await?;
    for part in [r#""id":"fleet""#, r#""code":404"#, r#""status":"Not Found""#] {
        ensure!(error.contains(part), "no {part} in {error}");
    }
    Ok(())
}

async fn flags(pair: &Pair) -> Result<()> {
    pair.serves.serve("s", "fleet", json!({})).await?;
    let args = ["fleet", "greeter", "hello", "--name=Ann"];
    let answer = said(pair, &args, |said| said.contains("Hello")).await?;
    ensure!(answer.contains("Hello Ann"), "{answer}");
    Ok(())
}
