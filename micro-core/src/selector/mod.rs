//! Which node a call goes to: what the registry knows, kept fresh by a watch, and a strategy that picks.

mod cache;
mod strategy;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::address::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::registry::{Node, Registry};
use cache::Cache;

pub use strategy::{LeastLoaded, Random, RoundRobin, Strategy, strategies, strategy};

/// A node that can be called, and how many calls of this process are on their way to it.
#[derive(Debug)]
pub struct Target {
    node: Node,
    address: Address,
    in_flight: AtomicUsize,
}

impl Target {
    /// A node of the registry.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when its address cannot be dialled.
    pub fn new(node: Node) -> Result<Self> {
        let address = Address::new(node.address.as_str())?;
        Ok(Target {
            node,
            address,
            in_flight: AtomicUsize::new(0),
        })
    }

    /// The record of the registry.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Where it is dialled.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// How many calls of this process are on their way to it.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Counts one more call until the returned value is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> Entered {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Entered(self.clone())
    }
}

/// One call on its way to a node.
#[derive(Debug)]
pub(crate) struct Entered(Arc<Target>);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Picks nodes for calls.
pub(crate) struct Selector {
    cache: Cache,
    strategy: Arc<dyn Strategy>,
}

/// The nodes that one call has tried. One that came back at another address has not been.
#[derive(Debug, Default)]
pub(crate) struct Tried(Vec<(String, Address)>);

impl Tried {
    pub(crate) fn insert(&mut self, target: &Target) {
        if !self.contains(target) {
            self.0.push((target.node.id.clone(), target.address.clone()));
        }
    }

    fn contains(&self, target: &Target) -> bool {
        let is_it = |(id, address): &(String, Address)| *id == target.node.id && *address == target.address;
        self.0.iter().any(is_it)
    }
}

impl Selector {
    pub(crate) fn new(registry: Arc<dyn Registry>, strategy: Arc<dyn Strategy>) -> Self {
        Selector {
            cache: Cache::new(registry),
            strategy,
        }
    }

    /// A node of the service that was not tried yet.
    ///
    /// When all that are known were tried, the registry is asked once more: they may be old news.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when nobody serves it, [`ErrorKind::Unavailable`] when every node was tried.
    pub(crate) async fn select(&self, service: &str, tried: &Tried) -> Result<Arc<Target>> {
        let known = self.cache.targets(service).await?;
        if let Some(target) = self.pick(&known, tried) {
            return Ok(target);
        }
        let fresh = self.cache.refresh(service).await?;
        self.pick(&fresh, tried)
            .ok_or_else(|| all_tried(service, tried.0.len()))
    }

    /// Notes that a node does not answer: no call goes there until the registry speaks of it again.
    pub(crate) fn mark_down(&self, service: &str, target: &Target) {
        self.cache.remove(service, &target.node);
    }

    fn pick(&self, targets: &Arc<[Arc<Target>]>, tried: &Tried) -> Option<Arc<Target>> {
        if tried.0.is_empty() {
            return self.strategy.pick(targets).cloned();
        }
        let untried: Vec<_> = targets
            .iter()
            .filter(|target| !tried.contains(target))
            .cloned()
            .collect();
        self.strategy.pick(&untried).cloned()
    }
}

fn all_tried(service: &str, count: usize) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("none of {count} nodes could be reached"),
    )
    .with_context("service", service)
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selector")
            .field("strategy", &self.strategy)
            .finish_non_exhaustive()
    }
}
