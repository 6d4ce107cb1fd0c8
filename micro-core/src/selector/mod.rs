//! Which node a call goes to: what the registry knows, kept fresh by a watch, and a strategy that picks.

mod cache;
mod candidates;
mod choice;
mod ewma;
mod hash;
mod prefer;
mod spread;
mod strategy;
mod target;
mod tried;

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::registry::Registry;
use cache::Cache;

pub(crate) use choice::Choice;
pub(crate) use target::Entered;
pub(crate) use tried::Tried;

pub use candidates::{Candidates, Subset};
pub use ewma::PeakEwma;
pub use hash::ConsistentHash;
pub use prefer::Prefer;
pub use spread::{LeastLoaded, Random, RoundRobin};
pub use strategy::{Strategy, strategies, strategy};
pub use target::Target;

/// Picks nodes for calls.
pub(crate) struct Selector {
    cache: Cache,
    strategy: Arc<dyn Strategy>,
}

impl Selector {
    pub(crate) fn new(registry: Arc<dyn Registry>, strategy: Arc<dyn Strategy>) -> Self {
        Selector {
            cache: Cache::new(registry),
            strategy,
        }
    }

    /// What picks for this call.
    pub(crate) fn strategy<'s>(&'s self, choice: &'s Choice) -> &'s dyn Strategy {
        choice.strategy.as_deref().unwrap_or(&*self.strategy)
    }

    /// Such a node as [`select`](Selector::select) finds, if it is known without asking the registry.
    pub(crate) fn select_known(&self, service: &str, choice: &Choice, tried: &Tried) -> Option<Arc<Target>> {
        self.pick(&self.cache.known(service)?, choice, tried).cloned()
    }

    /// A node of the service that the call may go to, and that was not tried yet.
    ///
    /// When all that are known were tried, the registry is asked once more: they may be old news.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when nobody serves it, or none whom the call may go to; [`ErrorKind::Unavailable`] when
    /// every node was tried.
    pub(crate) async fn select(&self, service: &str, choice: &Choice, tried: &Tried) -> Result<Arc<Target>> {
        let known = self.cache.targets(service).await?;
        if let Some(target) = self.pick(&known, choice, tried) {
            return Ok(target.clone());
        }
        let fresh = self.cache.refresh(service).await?;
        self.pick(&fresh, choice, tried)
            .cloned()
            .ok_or_else(|| match tried.len() {
                0 if !choice.is_open() => choice.not_found(service),
                count => all_tried(service, count),
            })
    }

    /// Notes that a node does not answer: no call goes there until the registry speaks of it again.
    pub(crate) fn mark_down(&self, service: &str, target: &Target) {
        self.cache.remove(service, target.node());
    }

    fn pick<'a>(
        &self,
        targets: &'a [Arc<Target>],
        choice: &Choice,
        tried: &Tried,
    ) -> Option<&'a Arc<Target>> {
        let strategy = self.strategy(choice);
        let all = Candidates::new(targets).with_key(choice.key.as_deref());
        if tried.is_empty() && choice.is_open() {
            return strategy.pick(&all);
        }
        let left = all.filter(|target| choice.admits(target) && !tried.contains(target));
        strategy.pick(&left.candidates())
    }
}

fn all_tried(service: &str, count: usize) -> Error {
    let message = format!("none of {count} nodes could be reached");
    Error::new(ErrorKind::Unavailable, message).with_context("service", service)
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selector")
            .field("strategy", &self.strategy)
            .finish_non_exhaustive()
    }
}
