//! One endpoint: what answers it, and what the registry is told of it.

use crate::registry::{self, Value};
use crate::rpc::CallKind;
use crate::server::handler::Handler;

#[derive(Clone)]
pub(super) struct Route {
    pub(super) handler: Handler,
    pub(super) record: registry::Endpoint,
    pub(super) public: bool,
}

/// Endpoint records as go-micro writes them: a stream is marked, and takes a `Context` and answers a `Stream`.
pub(super) fn record(endpoint: &str, kind: CallKind) -> registry::Endpoint {
    let record = registry::Endpoint::new(endpoint);
    if kind == CallKind::Unary {
        return record;
    }
    let named = |name: &str| {
        Some(Value {
            name: name.into(),
            kind: name.into(),
            values: Vec::new(),
        })
    };
    let mut record = record.with_metadata("stream", "true");
    (record.request, record.response) = (named("Context"), named("Stream"));
    record
}
