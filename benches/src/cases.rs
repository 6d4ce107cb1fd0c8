//! The cases. A new one is a file here and a line in [`all`].

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use futures::future::{BoxFuture, FutureExt};

use crate::rounds::Contest;

mod broker;
mod dial;
mod envelope;
mod gomicro;
mod large;
#[cfg_attr(not(feature = "peers"), path = "cases/peers_absent.rs")]
mod peers;
mod request;
mod stream;
mod typed;
mod unary;
mod unary_gomicro;
mod unary_memory;

/// All cases, in the order of the report.
pub(crate) fn all() -> Vec<Case> {
    [
        unary::cases(),
        unary_memory::cases(),
        unary_gomicro::cases(),
        gomicro::cases(),
        envelope::cases(),
        stream::cases(),
        broker::cases(),
        large::cases(),
        dial::cases(),
        typed::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// One comparison.
pub(crate) struct Case {
    /// Under which the report lists it.
    pub(crate) id: String,
    /// What is done.
    pub(crate) title: &'static str,
    /// By how many at once.
    pub(crate) callers: usize,
    /// What is counted. Always a rate, so that more is better.
    pub(crate) unit: &'static str,
    /// Beside whom.
    pub(crate) peer_name: &'static str,
    /// What the ratio should be at least.
    pub(crate) to_reach: Option<f64>,
    /// Whether the middle call must not take longer than the peer's, either.
    pub(crate) p50_no_worse: bool,
    /// Whether either side may poll instead of sleeping, too: with few calls at once that is a choice.
    pub(crate) polling: bool,
    /// Sets both sides up, given the address of the nats-server and the number of callers.
    pub(crate) open: Open,
}

/// Sets both sides of a case up.
pub(crate) type Open = Box<dyn Fn(String, usize) -> BoxFuture<'static, Result<Contest>>>;

impl Case {
    /// Calls by one caller, with nothing to reach. `open` is given the address of the nats-server and the number of
    /// callers.
    pub(crate) fn new<F, Fut>(
        id: impl Into<String>,
        title: &'static str,
        peer_name: &'static str,
        open: F,
    ) -> Self
    where
        F: Fn(String, usize) -> Fut + 'static,
        Fut: Future<Output = Result<Contest>> + Send + 'static,
    {
        Case {
            id: id.into(),
            title,
            callers: 1,
            unit: "calls/s",
            peer_name,
            to_reach: None,
            p50_no_worse: false,
            polling: false,
            open: Box::new(move |url, callers| open(url, callers).boxed()),
        }
    }

    pub(crate) fn callers(self, callers: usize) -> Self {
        Case { callers, ..self }
    }

    pub(crate) fn unit(self, unit: &'static str) -> Self {
        Case { unit, ..self }
    }

    pub(crate) fn reaching(self, ratio: impl Into<Option<f64>>) -> Self {
        Case {
            to_reach: ratio.into(),
            ..self
        }
    }

    pub(crate) fn p50_no_worse(self) -> Self {
        Case {
            p50_no_worse: true,
            ..self
        }
    }

    /// Lets either side poll, too.
    pub(crate) fn polling(self) -> Self {
        Case {
            polling: true,
            ..self
        }
    }
}

/// A subject that no other set-up has: those of one case are there at the same time, on every runtime.
fn own_subject() -> &'static str {
    // So few are made that they may stay, and cost no more than what is written into the code.
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("bench.own.{}", COUNT.fetch_add(1, Ordering::Relaxed)).leak()
}

/// Why a case cannot run here. The report says so, and the others run.
#[derive(Clone, Debug)]
pub(crate) struct NotRun(pub(crate) String);

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotRun {}
