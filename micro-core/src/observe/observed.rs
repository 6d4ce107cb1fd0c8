//! One thing that is observed, from its beginning to its end.

use std::sync::Arc;

use tracing::Span;

use crate::observe::metrics::{Measured, is_recorded};
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

/// What is observed, in OpenTelemetry's kinds of spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Client,
    Server,
    Producer,
    Consumer,
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

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Client => "client",
            Kind::Server => "server",
            Kind::Producer => "producer",
            Kind::Consumer => "consumer",
        }
    }

    /// The attribute that says which system of its sort this is.
    pub(super) fn system(self) -> &'static str {
        match self.is_rpc() {
            true => "rpc.system.name",
            false => "messaging.system",
        }
    }

    fn is_rpc(self) -> bool {
        matches!(self, Kind::Client | Kind::Server)
    }

    /// Whether it came from elsewhere.
    pub(super) fn is_incoming(self) -> bool {
        matches!(self, Kind::Server | Kind::Consumer)
    }

    /// Whether a code says that something is wrong. A server that refuses what its caller should not have asked for is
    /// well, as OpenTelemetry's conventions for gRPC have it.
    fn is_error(self, code: Code) -> bool {
        match self {
            Kind::Server => matches!(
                code,
                Code::Unknown
                    | Code::DeadlineExceeded
                    | Code::Unimplemented
                    | Code::Internal
                    | Code::Unavailable
                    | Code::DataLoss
            ),
            Kind::Client | Kind::Producer | Kind::Consumer => code != Code::Ok,
        }
    }
}
