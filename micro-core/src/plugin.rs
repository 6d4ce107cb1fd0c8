//! Names to backends: what a flag such as `--transport=nats` looks up.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::broker::Broker;
use crate::error::{Error, ErrorKind, Result};
use crate::registry::Registry;
use crate::transport::Transport;

mod security;

pub use security::{Login, Secret, Security, Tls, show_addresses, without_login};

/// The backends that a process can choose from: one table for each contract.
///
/// A value, not a global: two services of one process may have different ones. A backend's crate exports
/// `register(&mut Plugins)`.
///
/// ```
/// use micro_core::plugin::{PluginConfig, Plugins};
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let plugins = Plugins::new();
/// let error = plugins.transport.open("carrier-pigeon", PluginConfig::default()).await.unwrap_err();
/// assert_eq!(error.to_string(), "unknown transport \"carrier-pigeon\"; known: none");
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Plugins {
    /// Synchronous sockets.
    pub transport: Table<dyn Transport>,
    /// Asynchronous events.
    pub broker: Table<dyn Broker>,
    /// Discovery.
    pub registry: Table<dyn Registry>,
}

impl Plugins {
    /// Empty tables.
    pub fn new() -> Self {
        Plugins {
            transport: Table::new("transport"),
            broker: Table::new("broker"),
            registry: Table::new("registry"),
        }
    }
}

impl Default for Plugins {
    fn default() -> Self {
        Plugins::new()
    }
}

/// What a backend is opened with.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct PluginConfig {
    /// Where its servers are, in order of preference, each with or without a scheme. Empty: the backend's default.
    pub addresses: Vec<String>,
    /// Who connects, for the other side's logs and monitoring: the name of the service.
    pub client_name: Option<String>,
    /// Who we are to its servers, and how we know that they are the right ones.
    pub security: Security,
    /// For how long after traffic a connection to its servers does not let its thread sleep, but looks for more: busy
    /// polling, which trades a processor for the time that a wake takes. Backends without servers have no use for it.
    /// Default: not at all, as with zero.
    pub busy_poll: Option<Duration>,
}

impl PluginConfig {
    /// Takes a comma-separated list of addresses; blanks around them and empty items are passed over.
    #[must_use]
    pub fn with_addresses(mut self, list: &str) -> Self {
        self.addresses = list
            .split(',')
            .map(str::trim)
            .filter(|a| !a.is_empty())
            .map(str::to_owned)
            .collect();
        self
    }

    /// Says who connects.
    #[must_use]
    pub fn with_client_name(mut self, name: impl Into<String>) -> Self {
        self.client_name = Some(name.into());
        self
    }

    /// Says who we are to its servers, and how we know that they are the right ones.
    #[must_use]
    pub fn with_security(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// Says for how long after traffic a connection does not let its thread sleep: 10 ms at most, and only on a runtime of one
    /// thread. Default: it sleeps.
    #[must_use]
    pub fn with_busy_poll(mut self, longest: Duration) -> Self {
        self.busy_poll = Some(longest);
        self
    }
}

impl fmt::Debug for PluginConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginConfig")
            .field("addresses", &show_addresses(&self.addresses))
            .field("client_name", &self.client_name)
            .field("security", &self.security)
            .field("busy_poll", &self.busy_poll)
            .finish()
    }
}

type Factory<T> = Arc<dyn Fn(PluginConfig) -> BoxFuture<'static, Result<Arc<T>>> + Send + Sync>;

/// The backends of one contract, by name.
pub struct Table<T: ?Sized> {
    kind: &'static str,
    factories: BTreeMap<&'static str, Factory<T>>,
}

impl<T: ?Sized> Table<T> {
    fn new(kind: &'static str) -> Self {
        Table {
            kind,
            factories: BTreeMap::new(),
        }
    }

    /// Adds a backend, or replaces the one of that name.
    pub fn register<F, Fut>(&mut self, name: &'static str, factory: F)
    where
        F: Fn(PluginConfig) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Arc<T>>> + Send + 'static,
    {
        self.factories
            .insert(name, Arc::new(move |config| Box::pin(factory(config))));
    }

    /// The known names, sorted.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &'static str> {
        self.factories.keys().copied()
    }

    /// Checks a name without opening anything.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] that lists the known names.
    pub fn check(&self, name: &str) -> Result<()> {
        self.factory(name).map(drop)
    }

    /// Opens the backend of that name; what it returns is connected.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for an unknown name, listing the known ones; else what the backend says.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn open(&self, name: &str, config: PluginConfig) -> Result<Arc<T>> {
        let open = self.factory(name)?;
        open(config)
            .await
            .map_err(|error| error.with_operation("open").with_context(self.kind, name))
    }

    fn factory(&self, name: &str) -> Result<&Factory<T>> {
        self.factories.get(name).ok_or_else(|| {
            let known = self.names().collect::<Vec<_>>().join(", ");
            let known = if known.is_empty() { "none" } else { &known };
            Error::new(
                ErrorKind::InvalidArgument,
                format!("unknown {} {name:?}; known: {known}", self.kind),
            )
        })
    }
}

impl<T: ?Sized> Clone for Table<T> {
    fn clone(&self) -> Self {
        Table {
            kind: self.kind,
            factories: self.factories.clone(),
        }
    }
}

impl<T: ?Sized> fmt::Debug for Table<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("kind", &self.kind)
            .field("names", &self.factories.keys())
            .finish()
    }
}
