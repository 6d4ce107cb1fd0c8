//! How a service is, and the endpoint that says so.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use micro_core::{Codec, Context, Json, Payload, Proto, Router, Status};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// How a service is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// Not registered yet.
    Starting,
    /// All is well.
    Serving,
    /// It serves, and something is amiss.
    Degraded {
        /// What, one sentence each.
        reasons: Vec<String>,
    },
    /// It is stopping: it takes nothing new, and finishes what it has.
    Draining,
}

impl Health {
    /// Whether all is well.
    pub fn is_ok(&self) -> bool {
        *self == Health::Serving
    }
}

/// What `Debug.Health` answers: `ok`, `starting`, `degraded` or `draining`.
impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Health::Starting => "starting",
            Health::Serving => "ok",
            Health::Degraded { .. } => "degraded",
            Health::Draining => "draining",
        })
    }
}

/// What the parts of a service note of themselves.
#[derive(Debug, Default)]
pub(super) struct Vitals {
    notes: Mutex<Notes>,
    /// What keeps callers from coming in.
    server: OnceLock<watch::Receiver<Option<Arc<str>>>>,
}

#[derive(Debug, Default)]
struct Notes {
    phase: Phase,
    /// What is amiss, by the part that noted it.
    amiss: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    #[default]
    Starting,
    Serving,
    Draining,
}

impl Vitals {
    pub(super) fn enter(&self, phase: Phase) {
        self.notes.lock().phase = phase;
    }

    pub(super) fn note(&self, part: &str, reason: impl fmt::Display) {
        self.notes
            .lock()
            .amiss
            .insert(part.to_owned(), reason.to_string());
    }

    pub(super) fn recovered(&self, part: &str) -> bool {
        self.notes.lock().amiss.remove(part).is_some()
    }

    /// Also tells what the server says of itself.
    pub(super) fn hear(&self, server: watch::Receiver<Option<Arc<str>>>) {
        // Set once, by the one who made both.
        let _ = self.server.set(server);
    }

    pub(super) fn health(&self) -> Health {
        let notes = self.notes.lock();
        match notes.phase {
            Phase::Starting => Health::Starting,
            Phase::Draining => Health::Draining,
            Phase::Serving => match self.reasons(&notes) {
                reasons if reasons.is_empty() => Health::Serving,
                reasons => Health::Degraded { reasons },
            },
        }
    }

    fn reasons(&self, notes: &Notes) -> Vec<String> {
        let server = self.server.get().and_then(|server| server.borrow().clone());
        let server = server.iter().map(|trouble| trouble.to_string());
        notes.amiss.values().cloned().chain(server).collect()
    }
}

/// `Debug.Health`, as go-micro's services have it: called by name, and not in the registry.
pub(super) fn router(vitals: Arc<Vitals>) -> Router {
    let health = move |_: Context, _: Bytes| {
        let report = HealthReport::of(vitals.health());
        async { Ok::<_, Status>(report) }
    };
    Router::new().unary("Debug.Health", health).internal()
}

#[derive(Debug, Serialize, Deserialize)]
struct HealthReport {
    status: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
}

impl HealthReport {
    fn of(health: Health) -> Self {
        HealthReport {
            status: health.to_string(),
            reasons: match health {
                Health::Degraded { reasons } => reasons,
                _ => Vec::new(),
            },
        }
    }
}

/// In JSON with the reasons; in protobuf as go-micro's `HealthResponse { string status = 1; }`, which a bare string
/// is too.
impl Payload for HealthReport {
    const CODEC: Codec = Codec::Json;

    fn encode(&self, codec: Codec) -> micro_core::Result<Bytes> {
        match codec {
            Codec::Protobuf => Proto(self.status.clone()).encode(codec),
            _ => Json(self).encode(codec),
        }
    }

    fn decode(codec: Codec, body: Bytes) -> micro_core::Result<Self> {
        match codec {
            Codec::Protobuf => Proto::<String>::decode(codec, body).map(|Proto(status)| HealthReport {
                status,
                reasons: Vec::new(),
            }),
            _ => Json::decode(codec, body).map(|Json(report)| report),
        }
    }
}

#[cfg(test)]
mod tests {
    use micro_core::Request;
    use tower::ServiceExt;

    use super::*;

    async fn ask(vitals: &Arc<Vitals>, content_type: &'static str) -> Bytes {
        let request = Request::new("a", "Debug.Health", Bytes::new()).with_content_type(content_type);
        let answer = router(vitals.clone()).oneshot(request).await.unwrap();
        answer.body.into_one()
    }

    #[tokio::test]
    async fn debug_health_answers_in_json_and_in_protobuf() {
        let vitals = Arc::new(Vitals::default());
        vitals.enter(Phase::Serving);
        assert_eq!(ask(&vitals, "application/json").await, "{\"status\":\"ok\"}\n");
        assert_eq!(ask(&vitals, "application/protobuf").await, "\x0a\x02ok");
    }

    #[tokio::test]
    async fn what_is_amiss_is_told_until_it_recovers() {
        let vitals = Arc::new(Vitals::default());
        vitals.enter(Phase::Serving);
        vitals.note("registration", "the registry is away");
        let body = ask(&vitals, "application/json").await;
        assert_eq!(
            body,
            "{\"status\":\"degraded\",\"reasons\":[\"the registry is away\"]}\n"
        );
        assert!(vitals.recovered("registration") && vitals.health().is_ok());
    }

    #[test]
    fn a_stop_hides_what_is_amiss() {
        let vitals = Vitals::default();
        assert_eq!(vitals.health(), Health::Starting);
        vitals.note("registration", "the registry is away");
        vitals.enter(Phase::Draining);
        assert_eq!(vitals.health(), Health::Draining);
    }
}
