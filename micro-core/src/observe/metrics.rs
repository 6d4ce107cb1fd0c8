//! What is counted and measured, by the façade of the crate `metrics`.

use std::sync::Arc;

use metrics::counter;
use tokio::time::Instant;

use crate::observe::kind::Kind;
use crate::observe::loss::shed;
use crate::observe::methods::full_name;
use crate::observe::names::{METHODS, TOPICS};
use crate::observe::recorder::is_recorded;
use crate::observe::series::{CODE, METHOD, Series, TOPIC};
use crate::rpc::{Code, Status};

/// Something whose end will be counted.
#[derive(Debug)]
pub(super) struct Measured {
    kind: Kind,
    name: Arc<str>,
    began: Instant,
}

impl Measured {
    pub(super) fn begin(kind: Kind, name: Arc<str>) -> Self {
        if let Some(active) = Series::of(kind).active() {
            active.increment(1.0);
        }
        Measured {
            kind,
            name,
            began: Instant::now(),
        }
    }

    pub(super) fn end(self, code: Code) {
        let series = Series::of(self.kind);
        if let Some(active) = series.active() {
            active.decrement(1.0);
        }
        series.ended(&self.name, code, self.began);
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

/// Counts a second attempt beside a slow first one, by which of the two counted in the end.
pub(crate) fn hedged(outcome: &'static str) {
    if is_recorded() {
        counter!("rpc.client.hedges", "outcome" => outcome).increment(1);
    }
}

/// Counts how often a member of a queue group has left it for a while, being full; by the topic that it subscribed to.
pub fn paused(topic: &str, times: u64) {
    if is_recorded() {
        let topic = TOPICS.name(&topic.into());
        counter!("messaging.client.pauses", TOPIC => topic).increment(times);
    }
}

/// Counts a change of a circuit breaker's circuit, by the state that it is in now. States are of the breaker's code.
pub fn circuit_changed(service: &str, endpoint: &str, state: &'static str) {
    if is_recorded() {
        let method = METHODS.name(&full_name(service, endpoint));
        counter!("micro.circuit.changes", METHOD => method, "state" => state).increment(1);
    }
}

/// Counts a call that an open circuit refused.
pub fn circuit_refused(service: &str, endpoint: &str) {
    if is_recorded() {
        let method = METHODS.name(&full_name(service, endpoint));
        counter!("micro.circuit.refusals", METHOD => method).increment(1);
    }
}
