//! One thing that is observed, from its beginning to its end.

use std::sync::Arc;

use tracing::Span;

use crate::observe::kind::Kind;
use crate::observe::metrics::Measured;
use crate::observe::recorder::is_recorded;
use crate::rpc::{Code, Status};

/// A call or an event that somebody observes. One that is dropped before its end was
/// cancelled, or panicked.
#[derive(Debug)]
#[must_use = "what is dropped counts as cancelled"]
pub struct Observed {
    span: Span,
    kind: Kind,
    measured: Option<Measured>,
    ended: bool,
}

impl Observed {
    /// Begins to observe what has a name. Its span may be disabled.
    pub(super) fn new(span: Span, kind: Kind, name: Arc<str>) -> Self {
        Observed {
            span,
            kind,
            measured: is_recorded().then(|| Measured::begin(kind, name)),
            ended: false,
        }
    }

    /// Its span: for the work that is done meanwhile.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Notes how it ended.
    pub fn end(mut self, result: Result<(), &Status>) {
        self.note(result);
    }

    fn note(&mut self, result: Result<(), &Status>) {
        self.ended = true;
        let code = result.map_or_else(Status::code, |()| Code::Ok);
        if let Some(measured) = self.measured.take() {
            measured.end(code);
        }
        if self.kind.is_rpc() {
            self.span.record("rpc.response.status_code", code.name());
        }
        if let Err(status) = result
            && self.kind.is_error(code)
        {
            self.span.record("error.type", code.name());
            self.span.record("otel.status_code", "ERROR");
            self.span.record("otel.status_description", status.message());
        }
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        if !self.ended {
            self.note(Err(&match std::thread::panicking() {
                true => Status::internal("it panicked"),
                false => Status::cancelled("dropped before it ended"),
            }));
        }
    }
}
