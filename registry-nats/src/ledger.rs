//! What came in and was ignored, counted.

use std::sync::atomic::{AtomicU64, Ordering};

use micro_core::Error;
use micro_core::observe::{self, Loss};

/// Counts what is ignored.
#[derive(Debug, Default)]
pub(crate) struct Ledger(AtomicU64);

impl Ledger {
    /// Notes a payload that was ignored, and why.
    pub(crate) fn ignore(&self, subject: &str, error: &Error) {
        self.0.fetch_add(1, Ordering::Relaxed);
        observe::dropped("registry-nats", Loss::Undecodable);
        tracing::debug!(subject, %error, "ignored");
    }

    /// How many there were.
    pub(crate) fn ignored(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
