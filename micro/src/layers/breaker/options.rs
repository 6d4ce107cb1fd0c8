//! When a circuit opens, and when it closes again.

use std::time::Duration;

use micro_core::{Code, Status};

/// When a circuit opens, and when it closes again.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CircuitBreakerOptions {
    /// Which share of the calls in the window must have failed, from 0 to 1. Default: 0.5.
    pub failure_ratio: f64,
    /// How many calls there must be in the window at least. Default: 20.
    pub minimum_calls: u32,
    /// For how long a call counts. Default: 10 s.
    pub window: Duration,
    /// How long an open circuit lets nothing through. Default: 5 s.
    pub pause: Duration,
    /// The longest pause: each probe that fails doubles it. Default: 60 s.
    pub max_pause: Duration,
    /// How many calls are let through after a pause, all of which must go well for the circuit to close. Default: 1.
    pub probes: u32,
    /// What speaks ill of the health of whoever is called. Default: [`speaks_ill`](CircuitBreakerOptions::speaks_ill).
    pub is_failure: fn(&Status) -> bool,
}

impl Default for CircuitBreakerOptions {
    fn default() -> Self {
        CircuitBreakerOptions {
            failure_ratio: 0.5,
            minimum_calls: 20,
            window: Duration::from_secs(10),
            pause: Duration::from_secs(5),
            max_pause: Duration::from_secs(60),
            probes: 1,
            is_failure: CircuitBreakerOptions::speaks_ill,
        }
    }
}

impl CircuitBreakerOptions {
    /// `Unavailable`, `ResourceExhausted` of the other side, and `DeadlineExceeded` of a call that was made.
    ///
    /// What a handler refuses says nothing of its health. Nor do `Internal` and `Unknown`, which go-micro's servers
    /// answer whenever a handler fails: some input may be all that is wrong.
    pub fn speaks_ill(status: &Status) -> bool {
        match status.code() {
            Code::Unavailable => true,
            Code::ResourceExhausted => status.is_from_peer(),
            Code::DeadlineExceeded => !status.is_never_delivered(),
            _ => false,
        }
    }

    /// Sets which share of the calls must have failed; what is not between 0 and 1 is brought there.
    #[must_use]
    pub fn with_failure_ratio(mut self, ratio: f64) -> Self {
        self.failure_ratio = ratio.clamp(0.0, 1.0);
        self
    }

    /// Sets how many calls there must be in the window.
    #[must_use]
    pub fn with_minimum_calls(mut self, calls: u32) -> Self {
        self.minimum_calls = calls.max(1);
        self
    }

    /// Sets for how long a call counts.
    #[must_use]
    pub fn with_window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Sets how long an open circuit lets nothing through, at first and at most.
    #[must_use]
    pub fn with_pause(mut self, first: Duration, longest: Duration) -> Self {
        self.pause = first;
        self.max_pause = longest.max(first);
        self
    }

    /// Sets how many calls are let through after a pause.
    #[must_use]
    pub fn with_probes(mut self, calls: u32) -> Self {
        self.probes = calls.max(1);
        self
    }

    /// Sets what speaks ill of the health of whoever is called.
    #[must_use]
    pub fn with_is_failure(mut self, is_failure: fn(&Status) -> bool) -> Self {
        self.is_failure = is_failure;
        self
    }
}
