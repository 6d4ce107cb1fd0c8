//! What is counted and measured, by the façade of the crate `metrics`.

use std::sync::Arc;

use metrics::{SharedString, counter, gauge, histogram, with_recorder};
use tokio::time::Instant;

use crate::observe::kind::Kind;
use crate::observe::loss::shed;
use crate::observe::names::{METHODS, TOPICS};
use crate::rpc::{Code, Status};

const METHOD: &str = "rpc.method";
const CODE: &str = "rpc.response.status_code";
pub(super) const TOPIC: &str = "messaging.destination.name";
const ERROR: &str = "error.type";

/// Whether there is a recorder. One of no size, as `metrics` has it for none, is none.
pub(super) fn is_recorded() -> bool {
    with_recorder(|recorder| size_of_val(recorder) > 0)
}

/// Something whose end will be counted.
#[derive(Debug)]
pub(super) struct Measured {
    kind: Kind,
    name: Arc<str>,
    began: Instant,
}

impl Measured {
    pub(super) fn begin(kind: Kind, name: Arc<str>) -> Self {
        if let Some(active) = active(kind) {
            gauge!(active).increment(1.0);
        }
        Measured {
            kind,
            name,
            began: Instant::now(),
        }
    }

    pub(super) fn end(self, code: Code) {
        if let Some(active) = active(self.kind) {
            gauge!(active).decrement(1.0);
        }
        let took = self.began.elapsed().as_secs_f64();
        match self.kind {
            Kind::Client => {
                let method = METHODS.of_call(&self.name, code);
                call("rpc.client.calls", "rpc.client.call.duration", method, code, took);
            }
            Kind::Server => {
                let method = METHODS.of_call(&self.name, code);
                call("rpc.server.calls", "rpc.server.call.duration", method, code, took);
            }
            Kind::Producer => event("messaging.client.sent.messages", &self.name, code),
            Kind::Consumer => {
                event("messaging.client.consumed.messages", &self.name, code);
                let topic = TOPICS.name(&self.name);
                histogram!("messaging.process.duration", TOPIC => topic).record(took);
            }
        }
    }
}

fn active(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Client => Some("rpc.client.active_requests"),
        Kind::Server => Some("rpc.server.active_requests"),
        Kind::Consumer => Some("messaging.process.active_messages"),
        // It is on its way before anybody could look.
        Kind::Producer => None,
    }
}

fn call(calls: &'static str, duration: &'static str, method: SharedString, code: Code, took: f64) {
    counter!(calls, METHOD => method.clone(), CODE => code.name()).increment(1);
    histogram!(duration, METHOD => method, CODE => code.name()).record(took);
}

fn event(name: &'static str, topic: &Arc<str>, code: Code) {
    let topic = TOPICS.name(topic);
    match code {
        Code::Ok => counter!(name, TOPIC => topic).increment(1),
        code => counter!(name, TOPIC => topic, ERROR => code.name()).increment(1),
    }
}

pub(super) fn retried(failed: &Status) {
    if is_recorded() {
        counter!("rpc.client.retries", CODE => failed.code().name()).increment(1);
    }
}

/// Counts a call that was refused before its handler began.
pub(crate) fn refused(status: &Status) {
    if status.code() == Code::ResourceExhausted {
        shed();
    }
    if is_recorded() {
        counter!("rpc.server.refusals", CODE => status.code().name()).increment(1);
    }
}
