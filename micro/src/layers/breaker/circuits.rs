//! The circuits of all endpoints that are called.

use std::collections::HashMap;
use std::sync::Arc;

use micro_core::message::Text;
use micro_core::{Request, Status, observe};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::circuit::{Circuit, Pass, Verdict};
use super::{CircuitBreakerOptions, CircuitState};

/// How many endpoints have a circuit. Calls to more, when none of these is idle, are let through unwatched.
const MOST: usize = 1024;

/// A service, and an endpoint of it.
type Key = (Text, Text);

#[derive(Debug)]
pub(super) struct Circuits {
    options: CircuitBreakerOptions,
    known: Mutex<HashMap<Key, Circuit>>,
}

/// A call that goes through a circuit. One that is dropped without a verdict has told nothing.
#[derive(Debug)]
pub(super) struct Through {
    circuits: Arc<Circuits>,
    key: Key,
    /// `None` once it was settled, and of a call that nobody watches.
    pass: Option<Pass>,
}

impl Circuits {
    pub(super) fn new(options: CircuitBreakerOptions) -> Self {
        Circuits {
            options,
            known: Mutex::default(),
        }
    }

    /// Lets a call through.
    ///
    /// # Errors
    /// `Unavailable`, never delivered, when the circuit lets none through now.
    pub(super) fn admit(self: &Arc<Self>, request: &Request) -> Result<Through, Status> {
        let key = (request.service.clone(), request.endpoint.clone());
        let now = Instant::now();
        let mut known = self.known.lock();
        if known.len() >= MOST && !known.contains_key(&key) {
            known.retain(|_, circuit| !circuit.is_idle(now));
        }
        let mut probing = false;
        let admitted = match known.len() < MOST || known.contains_key(&key) {
            false => Some(None),
            true => {
                let new = || Circuit::new(&self.options, now);
                let circuit = known.entry(key.clone()).or_insert_with(new);
                let before = circuit.is_open();
                let admitted = circuit.admit(&self.options, now).map(Some);
                probing = before && !circuit.is_open();
                admitted
            }
        };
        drop(known);
        if probing {
            changed(&key, CircuitState::HalfOpen);
        }
        let circuits = self.clone();
        match admitted {
            Some(pass) => Ok(Through { circuits, key, pass }),
            None => Err(refusal(&key)),
        }
    }

    pub(super) fn state(&self, service: &str, endpoint: &str) -> CircuitState {
        let known = self.known.lock();
        let mut circuits = known.iter();
        let found = circuits.find(|((s, e), _)| *s == service && *e == endpoint);
        found.map_or(CircuitState::Closed, |(_, circuit)| circuit.state(Instant::now()))
    }
}

impl Through {
    pub(super) fn settle(mut self, result: Result<(), &Status>) {
        let is_failure = self.circuits.options.is_failure;
        self.note(match result {
            Err(status) if is_failure(status) => Verdict::Ill,
            _ => Verdict::Well,
        });
    }

    fn note(&mut self, verdict: Verdict) {
        let Some(pass) = self.pass.take() else { return };
        let mut known = self.circuits.known.lock();
        let Some(circuit) = known.get_mut(&self.key) else {
            return;
        };
        let now = Instant::now();
        let before = circuit.state(now);
        circuit.settle(pass, verdict, &self.circuits.options, now);
        let after = circuit.state(now);
        drop(known);
        if before != after {
            changed(&self.key, after);
        }
    }
}

impl Drop for Through {
    fn drop(&mut self) {
        self.note(Verdict::Unknown);
    }
}

/// Tells those who watch.
fn changed((service, endpoint): &Key, state: CircuitState) {
    tracing::warn!(%service, %endpoint, ?state, "a circuit changed");
    let state = match state {
        CircuitState::Closed => "closed",
        CircuitState::Open => "open",
        CircuitState::HalfOpen => "half_open",
    };
    observe::circuit_changed(service, endpoint, state);
}

fn refusal((service, endpoint): &Key) -> Status {
    observe::circuit_refused(service, endpoint);
    let message = format!("the circuit of {service}/{endpoint} is open: too many calls have failed");
    Status::unavailable(message).never_delivered()
}
