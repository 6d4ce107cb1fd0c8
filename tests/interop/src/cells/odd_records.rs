//! Records as odd as ours let them be, told to living go-micro processes of both generations.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::registry::find_when;
use super::{Row, row};
use crate::runner::{Direction, Generation, Pair, ensure_eq, field};

/// How many records.
const RECORDS: usize = 150;

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("no harm", "odd records of ours kill no Go process", odd_records)
            .only(Direction::GoRust)
            .with(Generation::V5),
    ]
}

/// The Go processes watch, answer queries, keep a cache of what they call, and list all that there is; then they live.
async fn odd_records(pair: &Pair) -> Result<()> {
    let (rust, go) = pair.both_generations().await?;
    rust.serve("s", "ours", json!({})).await?;
    for (go, name) in go.iter().zip(["new", "old"]) {
        go.serve("s", name, json!({})).await?;
        go.ask("watch", json!({ "as": "w" })).await?;
        find_when(go, "ours", |found| found.len() == 1).await?;
    }
    let mut odd = Odd(fastrand::Rng::with_seed(11));
    for number in 0..RECORDS {
        let record = odd.record(&format!("odd-{}", number % 20));
        for what in ["register", "register", "deregister"].iter().take(1 + number % 3) {
            // A record that ours refuse is told to nobody.
            rust.ask(what, json!({ "service": record, "ttl_ms": 60_000 }))
                .await
                .ok();
        }
    }
    for go in &go {
        go.ask("list", json!({})).await?;
        let name = |n: usize| format!("odd-{n}");
        for n in 0..20 {
            go.ask("get", json!({ "name": name(n) })).await?;
        }
        let hello = go
            .call("ours", "Greeter.Hello", json!({ "name": "Ann" }), json!({}))
            .await?;
        ensure_eq(hello.body()?, json!({ "msg": "Hello Ann" }))?;
    }
    let found = find_when(&go[0], "odd-1", |found| !found.is_empty()).await?;
    ensure!(field(&found[0], "/nodes/0/id")?.is_string(), "{found:?}");
    Ok(())
}

/// Makes records. What it makes is the same each time.
struct Odd(fastrand::Rng);

impl Odd {
    fn text(&mut self) -> String {
        const PARTS: [&str; 12] = [
            "", "a", "null", "{}", "\"", "\\", "\n", "\u{0}", "\u{2028}", "<&>", "é", "😀",
        ];
        (0..self.0.usize(..5))
            .map(|_| PARTS[self.0.usize(..PARTS.len())])
            .collect()
    }

    fn metadata(&mut self) -> Value {
        let entries = (0..self.0.usize(..4)).map(|_| (self.text(), Value::from(self.text())));
        Value::Object(entries.collect())
    }

    fn shape(&mut self, depth: usize) -> Value {
        let values: Vec<_> = (0..self.0.usize(..4).min(depth))
            .map(|_| self.shape(depth - 1))
            .collect();
        json!({ "name": self.text(), "type": self.text(), "values": values })
    }

    fn endpoint(&mut self) -> Value {
        let (request, response) = (self.shape(4), self.shape(4));
        let or_null = |shape: Value, there: bool| if there { shape } else { Value::Null };
        json!({
            "name": self.text(),
            "request": or_null(request, self.0.bool()),
            "response": or_null(response, self.0.bool()),
            "metadata": self.metadata(),
        })
    }

    fn record(&mut self, name: &str) -> Value {
        let endpoints: Vec<_> = (0..self.0.usize(..5)).map(|_| self.endpoint()).collect();
        let nodes: Vec<_> = (0..1 + self.0.usize(..4))
            .map(|n| json!({ "id": format!("{}{n}", self.text()), "address": format!("x{}", self.text()), "metadata": self.metadata() }))
            .collect();
        json!({ "name": name, "version": self.text(), "metadata": self.metadata(), "endpoints": endpoints, "nodes": nodes })
    }
}
