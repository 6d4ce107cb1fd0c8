//! Settings of the backends and the client.

use std::fmt;
use std::time::Duration;

use micro_core::plugin::{PluginConfig, Plugins, Security, show_addresses};
use micro_core::{ClientOptions, Result, memory, selector};

/// Which backends to open, and how to call through them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BackendsConfig {
    /// What carries calls: `--transport`, `--transport_address`. Default: `memory`.
    pub transport: PluginChoice,
    /// What carries events: `--broker`, `--broker_address`. Default: `memory`.
    pub broker: PluginChoice,
    /// What knows who serves what: `--registry`, `--registry_address`. Default: `memory`.
    pub registry: PluginChoice,
    /// What the client does when a call says nothing else: `--client_…`.
    pub client: ClientOptions,
    /// How the client picks one node among several: `--selector`. Default: `random`.
    pub selector: String,
}

impl Default for BackendsConfig {
    fn default() -> Self {
        BackendsConfig {
            transport: PluginChoice::default(),
            broker: PluginChoice::default(),
            registry: PluginChoice::default(),
            client: ClientOptions::default(),
            selector: "random".into(),
        }
    }
}

impl BackendsConfig {
    /// Checks the names of plugins and selector.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) that lists the known names.
    pub fn check(&self, plugins: &Plugins) -> Result<()> {
        plugins.transport.check(&self.transport.plugin)?;
        plugins.broker.check(&self.broker.plugin)?;
        plugins.registry.check(&self.registry.plugin)?;
        selector::strategy(&self.selector).map(drop)
    }
}

/// One backend, by the name of its plugin.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PluginChoice {
    /// The name of the plugin. Default: `memory`.
    pub plugin: String,
    /// Where its servers are, in order of preference. Empty: the plugin's default.
    pub addresses: Vec<String>,
    /// Who we are to them, and how we know that they are the right ones: `--nats_…`, for all three. Default: nothing.
    pub security: Security,
    /// For how long after traffic a connection to them does not let its thread sleep, but looks for more:
    /// `--nats_busy_poll`, for all three. Default: not at all.
    pub busy_poll: Option<Duration>,
}

impl Default for PluginChoice {
    fn default() -> Self {
        PluginChoice::new(memory::NAME)
    }
}

impl PluginChoice {
    /// A plugin at its default address.
    pub fn new(plugin: impl Into<String>) -> Self {
        PluginChoice {
            plugin: plugin.into(),
            addresses: Vec::new(),
            security: Security::default(),
            busy_poll: None,
        }
    }

    /// Takes a comma-separated list of addresses.
    #[must_use]
    pub fn with_addresses(mut self, list: &str) -> Self {
        self.addresses = PluginConfig::default().with_addresses(list).addresses;
        self
    }

    /// Says who we are to its servers, and how we know that they are the right ones.
    #[must_use]
    pub fn with_security(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// Says for how long after traffic a connection does not let its thread sleep, but looks for more: busy polling.
    ///
    /// At most 10 ms, and 50 us is usual; zero means not at all. The plugin `nats` needs a runtime of one thread for it,
    /// and plugins that are to share a connection the same value. What it gives and costs: `docs/adr/0017-busy-polling.md`.
    #[must_use]
    pub fn with_busy_poll(mut self, longest: Duration) -> Self {
        self.busy_poll = Some(longest);
        self
    }
}

impl fmt::Debug for PluginChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginChoice")
            .field("plugin", &self.plugin)
            .field("addresses", &show_addresses(&self.addresses))
            .field("security", &self.security)
            .field("busy_poll", &self.busy_poll)
            .finish()
    }
}
