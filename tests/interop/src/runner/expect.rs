//! What peers answer, and what is expected of it.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

/// How a call ended.
#[derive(Debug, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) body: Value,
    pub(crate) failed: Option<Failed>,
}

/// What came on a stream.
#[derive(Debug, Deserialize)]
pub(crate) struct Received {
    pub(crate) bodies: Vec<Value>,
    pub(crate) ended: bool,
    pub(crate) failed: Option<Failed>,
}

/// Why a call failed, as its caller sees it: a Go caller sees a number, ours one of gRPC's codes.
#[derive(Debug, Deserialize)]
pub(crate) struct Failed {
    #[serde(default)]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) code: i32,
    pub(crate) detail: String,
    pub(crate) grpc: Option<String>,
}

impl Outcome {
    /// The body of a call that succeeded.
    pub(crate) fn body(self) -> Result<Value> {
        match self.failed {
            None => Ok(self.body),
            Some(failed) => bail!("the call failed: {failed:?}"),
        }
    }

    /// Why a call failed that had to.
    pub(crate) fn failed(self) -> Result<Failed> {
        self.failed
            .with_context(|| format!("the call succeeded: {}", self.body))
    }
}

impl Failed {
    /// Checks the code: a number for Go callers, a name for ours.
    pub(crate) fn has_code(self, number: i32, grpc: &str) -> Result<Self> {
        let right = match &self.grpc {
            Some(name) => name == grpc,
            None => self.code == number,
        };
        ensure!(right, "expected code {number} or {grpc}: {self:?}");
        Ok(self)
    }

    /// Checks that the detail says so.
    pub(crate) fn says(self, text: &str) -> Result<Self> {
        ensure!(self.detail.contains(text), "expected {text:?} in {self:?}");
        Ok(self)
    }
}

/// Checks that two values are the same.
pub(crate) fn ensure_eq<A: Debug + PartialEq<B>, B: Debug>(found: A, expected: B) -> Result<()> {
    ensure!(found == expected, "found {found:?}, expected {expected:?}");
    Ok(())
}

/// A field somewhere inside.
pub(crate) fn field<'a>(value: &'a Value, pointer: &str) -> Result<&'a Value> {
    value
        .pointer(pointer)
        .with_context(|| format!("no {pointer} in {value}"))
}

/// Checks how long something takes.
pub(crate) async fn within<T>(
    least: Duration,
    most: Duration,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let start = Instant::now();
    let done = work.await?;
    let took = start.elapsed();
    ensure!(
        took >= least && took <= most,
        "took {took:?}, expected {least:?} to {most:?}"
    );
    Ok(done)
}
