//! How a client comes to be.

use std::sync::Arc;

use crate::client::budget::Bucket;
use crate::client::latencies::Latencies;
use crate::client::pool::{Pool, PoolLimits};
use crate::client::{Client, ClientOptions, Shared};
use crate::error::{Error, ErrorKind, Result};
use crate::registry::Registry;
use crate::selector::{Random, Selector, Strategy};
use crate::transport::Transport;

/// Builds a [`Client`].
#[derive(Debug)]
pub struct ClientBuilder {
    transport: Option<Arc<dyn Transport>>,
    registry: Option<Arc<dyn Registry>>,
    strategy: Arc<dyn Strategy>,
    options: ClientOptions,
}

impl ClientBuilder {
    pub(super) fn new() -> Self {
        ClientBuilder {
            transport: None,
            registry: None,
            strategy: Arc::new(Random),
            options: ClientOptions::default(),
        }
    }

    /// What carries the calls.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// What knows the nodes.
    #[must_use]
    pub fn registry(mut self, registry: Arc<dyn Registry>) -> Self {
        self.registry = Some(registry);
        self
    }

    /// How a node is picked among several. Default: at random.
    #[must_use]
    pub fn selector(mut self, strategy: Arc<dyn Strategy>) -> Self {
        self.strategy = strategy;
        self
    }

    /// Defaults and limits.
    #[must_use]
    pub fn options(mut self, options: ClientOptions) -> Self {
        self.options = options;
        self
    }

    /// The client. Nothing is dialled before the first call.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when the transport or the registry is missing.
    pub fn build(self) -> Result<Client> {
        let transport = self.transport.ok_or_else(|| missing("transport"))?;
        let registry = self.registry.ok_or_else(|| missing("registry"))?;
        let options = self.options;
        let limits = PoolLimits {
            dial_timeout: options.dial_timeout,
            max_in_flight: options.max_in_flight,
            idle: options.idle_timeout,
        };
        let selector = Selector::new(registry, self.strategy, options.outlier_detection.clone());
        Ok(Client {
            layers: None,
            shared: Arc::new(Shared {
                selector,
                pool: Pool::new(transport, limits),
                budget: Bucket::new(options.retry_budget),
                latencies: Latencies::default(),
                options,
            }),
        })
    }
}

fn missing(what: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("a client needs a {what}: call .{what}(…) before .build()"),
    )
}
