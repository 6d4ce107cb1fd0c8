//! The cases. A new one is a file here and a line in [`all`].

use anyhow::Result;
use futures::future::{BoxFuture, FutureExt};

use crate::rounds::Contest;

mod broker;
mod gomicro;
mod request;
mod unary_gomicro;
mod unary_memory;

/// All cases, in the order of the report.
pub(crate) fn all() -> Vec<Case> {
    [
        unary_memory::cases(),
        unary_gomicro::cases(),
        gomicro::cases(),
        broker::cases(),
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
    /// Sets both sides up, given the address of the nats-server and the number of callers.
    pub(crate) open: Open,
}

/// Sets both sides of a case up.
pub(crate) type Open = Box<dyn Fn(String, usize) -> BoxFuture<'static, Result<Contest>>>;

/// Makes an [`Open`] of an async function.
pub(crate) fn opened_by<F, Fut>(open: F) -> Open
where
    F: Fn(String, usize) -> Fut + 'static,
    Fut: Future<Output = Result<Contest>> + Send + 'static,
{
    Box::new(move |url, callers| open(url, callers).boxed())
}
