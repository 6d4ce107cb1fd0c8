//! One circuit, as a machine: what lets calls through, and what stops them.

use std::time::Duration;

use tokio::time::Instant;

use super::CircuitBreakerOptions;
use super::window::Window;

/// Whether calls go through a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CircuitState {
    /// All do.
    Closed,
    /// None do.
    Open,
    /// A few do, to see how they fare.
    HalfOpen,
}

/// The calls to one endpoint.
#[derive(Debug)]
pub(super) struct Circuit {
    state: State,
    /// How often the state has changed: what was begun in an earlier one tells nothing of this one.
    changes: u64,
}

#[derive(Debug)]
enum State {
    Closed(Window),
    Open {
        until: Instant,
        pause: Duration,
    },
    /// Probes that run, and those that went well, of a circuit that was open for so long.
    HalfOpen {
        out: u32,
        well: u32,
        pause: Duration,
    },
}

/// A call that was let through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    changes: u64,
}

/// What a call told of its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Well,
    Ill,
    /// It was given up before it told anything.
    Unknown,
}

impl Circuit {
    pub(super) fn new(options: &CircuitBreakerOptions, now: Instant) -> Self {
        Circuit {
            state: State::Closed(Window::new(options.window, now)),
            changes: 0,
        }
    }

    /// Lets a call through, or not.
    pub(super) fn admit(&mut self, options: &CircuitBreakerOptions, now: Instant) -> Option<Pass> {
        if let State::Open { until, pause } = self.state
            && until <= now
        {
            self.change(State::HalfOpen {
                out: 0,
                well: 0,
                pause,
            });
        }
        let admitted = match &mut self.state {
            State::Closed(_) => true,
            State::Open { .. } => false,
            State::HalfOpen { out, well, .. } => {
                let more = *out + *well < options.probes;
                *out += u32::from(more);
                more
            }
        };
        admitted.then_some(Pass {
            changes: self.changes,
        })
    }

    /// Notes how a call went.
    pub(super) fn settle(
        &mut self,
        pass: Pass,
        verdict: Verdict,
        options: &CircuitBreakerOptions,
        now: Instant,
    ) {
        if pass.changes != self.changes {
            return;
        }
        match &mut self.state {
            // What was let through before a change is of another time.
            State::Open { .. } => {}
            State::Closed(window) => {
                if verdict != Verdict::Unknown && trips(window, verdict, options, now) {
                    self.open(options.pause, now);
                }
            }
            State::HalfOpen { out, well, pause } => {
                *out -= 1;
                *well += u32::from(verdict == Verdict::Well);
                match verdict {
                    Verdict::Ill => {
                        let longer = pause.saturating_mul(2).min(options.max_pause);
                        self.open(longer, now);
                    }
                    _ if *well >= options.probes => {
                        self.change(State::Closed(Window::new(options.window, now)));
                    }
                    _ => {}
                }
            }
        }
    }

    pub(super) fn state(&self, now: Instant) -> CircuitState {
        match self.state {
            State::Closed(_) => CircuitState::Closed,
            State::Open { until, .. } if now < until => CircuitState::Open,
            State::Open { .. } | State::HalfOpen { .. } => CircuitState::HalfOpen,
        }
    }

    /// Whether it has let nothing through since it opened.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// Whether a new circuit would do as well.
    pub(super) fn is_idle(&mut self, now: Instant) -> bool {
        match &mut self.state {
            State::Closed(window) => window.is_quiet(now),
            State::Open { .. } | State::HalfOpen { .. } => false,
        }
    }

    fn open(&mut self, pause: Duration, now: Instant) {
        self.change(State::Open {
            until: now + pause,
            pause,
        });
    }

    fn change(&mut self, state: State) {
        self.state = state;
        self.changes += 1;
    }
}

/// Notes what a call told; whether as many of the last ones failed as open a circuit.
fn trips(window: &mut Window, verdict: Verdict, options: &CircuitBreakerOptions, now: Instant) -> bool {
    let count = window.add(verdict == Verdict::Ill, now);
    let ratio = count.failures as f64 / count.calls as f64;
    count.calls >= u64::from(options.minimum_calls) && ratio >= options.failure_ratio
}
