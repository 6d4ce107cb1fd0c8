//! What came of a stream, as the runner is told.

use micro::Status;
use serde::Serialize;
use serde_json::Value;

use super::body::{self, Failure};

#[derive(Default, Serialize)]
pub(super) struct RecvResult {
    pub(super) bodies: Vec<Value>,
    ended: bool,
    failed: Option<Failure>,
}

impl RecvResult {
    /// Answers whether more may come.
    pub(super) fn hears(&mut self, next: Option<Result<Value, Status>>) -> bool {
        match next {
            Some(Ok(body)) => self.bodies.push(body),
            Some(Err(status)) => self.ends(Some(status)),
            None => self.ends(None),
        }
        !self.ended
    }

    pub(super) fn ends(&mut self, why: Option<Status>) {
        self.ended = true;
        self.failed = why.and_then(|status| body::failed(&status));
    }
}
