//! Which node a call goes to: what the registry knows, kept fresh by a watch, and a strategy that picks.

mod cache;
mod choice;
mod strategy;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::address::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::registry::{Node, Registry};
use cache::Cache;

pub(crate) use choice::Choice;

pub use strategy::{LeastLoaded, Random, RoundRobin, Strategy, strategies, strategy};

/// A node that can be called, and how many calls of this process are on their way to it.
#[derive(Debug)]
pub struct Target {
    node: Node,
    version: String,
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
            version: String::new(),
            address,
            in_flight: AtomicUsize::new(0),
        })
    }

    /// Says of which version of its service it is.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// The version of its service; empty when nobody said.
    pub fn version(&self) -> &str {
        &self.version
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
            return Ok(target);
        }
        let fresh = self.cache.refresh(service).await?;
        self.pick(&fresh, choice, tried)
            .ok_or_else(|| match tried.0.len() {
                0 if !choice.is_open() => none_chosen(service, choice),
                count => all_tried(service, count),
            })
    }

    /// Notes that a node does not answer: no call goes there until the registry speaks of it again.
    pub(crate) fn mark_down(&self, service: &str, target: &Target) {
        self.cache.remove(service, &target.node);
    }

    fn pick(&self, targets: &Arc<[Arc<Target>]>, choice: &Choice, tried: &Tried) -> Option<Arc<Target>> {
        let strategy = choice.strategy.as_ref().unwrap_or(&self.strategy);
        if tried.0.is_empty() && choice.is_open() {
            return strategy.pick(targets).cloned();
        }
        let left: Vec<_> = targets
            .iter()
            .filter(|target| choice.admits(target) && !tried.contains(target))
            .cloned()
            .collect();
        strategy.pick(&left).cloned()
    }
}

fn none_chosen(service: &str, choice: &Choice) -> Error {
    let error = Error::new(
        ErrorKind::NotFound,
        "none of its nodes is the one that was asked for",
    );
    let error = error.with_context("service", service);
    let said = [("node", &choice.node), ("version", &choice.version)];
    said.into_iter().fold(error, |error, (key, value)| match value {
        Some(value) => error.with_context(key, value),
        None => error,
    })
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
