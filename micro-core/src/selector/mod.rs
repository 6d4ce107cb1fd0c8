//! Which node a call goes to: what the registry knows, kept fresh by a watch, and a strategy that picks.

mod cache;
mod candidates;
mod choice;
mod ewma;
mod hash;
mod outlier;
mod prefer;
mod roster;
mod spread;
mod strategy;
mod target;
mod tried;

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::registry::Registry;
use cache::Cache;
use roster::Targets;

pub(crate) use choice::Choice;
pub(crate) use outlier::Verdict;
pub(crate) use target::{Entered, Pick};
pub(crate) use tried::Tried;

pub use candidates::{Candidates, Subset};
pub use ewma::PeakEwma;
pub use hash::ConsistentHash;
pub use outlier::OutlierDetection;
pub use prefer::Prefer;
pub use spread::{LeastLoaded, Random, RoundRobin};
pub use strategy::{Strategy, strategies, strategy};
pub use target::Target;

/// Picks nodes for calls.
pub(crate) struct Selector {
    cache: Cache,
    strategy: Arc<dyn Strategy>,
    outliers: OutlierDetection,
}

impl Selector {
    pub(crate) fn new(
        registry: Arc<dyn Registry>,
        strategy: Arc<dyn Strategy>,
        outliers: OutlierDetection,
    ) -> Self {
        Selector {
            cache: Cache::new(registry),
            strategy,
            outliers,
        }
    }

    /// What picks for this call.
    pub(crate) fn strategy<'s>(&'s self, choice: &'s Choice) -> &'s dyn Strategy {
        choice.strategy.as_deref().unwrap_or(&*self.strategy)
    }

    /// Such a node as [`select`](Selector::select) finds, if it is known without asking the registry.
    pub(crate) fn select_known(&self, service: &str, choice: &Choice, tried: &Tried) -> Option<Pick> {
        self.pick(service, self.cache.known(service)?, choice, tried)
    }

    /// A node of the service that the call may go to, and that was not tried yet.
    ///
    /// When all that are known were tried, the registry is asked once more: they may be old news. Those that are set
    /// aside are the last resort, but the first of a call that may go nowhere else.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when nobody serves it, or none whom the call may go to; [`ErrorKind::Unavailable`] when
    /// every node was tried.
    pub(crate) async fn select(&self, service: &str, choice: &Choice, tried: &Tried) -> Result<Pick> {
        let known = self.cache.targets(service).await?;
        if let Some(pick) = self.pick(service, known, choice, tried) {
            return Ok(pick);
        }
        if tried.is_empty()
            && let Some(pick) = self.pick_of_all(service, choice, tried)
        {
            return Ok(pick);
        }
        let fresh = self.cache.refresh(service).await?;
        self.pick(service, fresh, choice, tried)
            .or_else(|| self.pick_of_all(service, choice, tried))
            .ok_or_else(|| match tried.len() {
                0 if !choice.is_open() => choice.not_found(service),
                count => all_tried(service, count),
            })
    }

    /// Takes in what the end of a call says of its node.
    pub(crate) fn judge(&self, service: &str, pick: &Pick, verdict: Verdict) {
        match verdict {
            Verdict::Answered if pick.is_well() => {}
            Verdict::Failed if !self.has_failed_enough(pick) => {}
            verdict => self.cache.judge(service, pick, verdict, &self.outliers),
        }
    }

    fn has_failed_enough(&self, pick: &Pick) -> bool {
        let enough = self.outliers.consecutive_failures;
        enough > 0 && pick.is_current() && pick.fail() >= enough
    }

    /// Of those that may be called. One that is on trial is tried by whoever picks it first.
    fn pick(&self, service: &str, mut open: Targets, choice: &Choice, tried: &Tried) -> Option<Pick> {
        loop {
            let target = self.choose(&open, choice, tried)?;
            if !target.is_on_trial() || self.cache.begin_trial(service, target) {
                return Some(Pick::new(target.clone()));
            }
            open = self.cache.known(service)?;
        }
    }

    fn pick_of_all(&self, service: &str, choice: &Choice, tried: &Tried) -> Option<Pick> {
        let all = self.cache.all(service);
        self.choose(&all, choice, tried).cloned().map(Pick::new)
    }

    fn choose<'a>(
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
