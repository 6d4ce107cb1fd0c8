//! What a service is to be, before it starts.

use std::fmt;
use std::time::Duration;

use micro_core::plugin::Plugins;
use micro_core::{Address, Result, Router, ServerOptions};

use super::layer::Layers;
use super::subscriber::Subscriber;
use crate::backends::Given;
use crate::config::Config;
use crate::events::FailureHandler;
use crate::flags::Flags;
use crate::plugins::default_plugins;

/// Builds a [`Service`](crate::Service).
///
/// What is set here are defaults: flags and environment beat them, in whatever order they were given. Mistakes are
/// reported by [`start`](ServiceBuilder::start).
#[must_use = "a service serves when it is started"]
pub struct ServiceBuilder {
    pub(super) config: Config,
    pub(super) flags: Flags,
    pub(super) plugins: Plugins,
    pub(super) given: Given,
    pub(super) router: Router,
    pub(super) layers: Layers,
    pub(super) subscribers: Vec<Subscriber>,
    pub(super) event_errors: Option<FailureHandler>,
}

impl ServiceBuilder {
    pub(super) fn new(name: &str) -> Self {
        ServiceBuilder {
            config: Config::new(name),
            flags: Flags::default(),
            plugins: default_plugins(),
            given: Given::default(),
            router: Router::new(),
            layers: Layers::default(),
            subscribers: Vec::new(),
            event_errors: None,
        }
    }

    pub(super) fn flags(mut self, flags: Flags) -> Self {
        self.flags = flags;
        self
    }

    /// Sets the version. Default: `latest`.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.config.version = version.into();
        self
    }

    /// Sets the id of this instance. Default: `<name>-<uuid>`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.config.id = Some(id.into());
        self
    }

    /// Says something of this instance in the registry.
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.metadata.insert(key.into(), value.into());
        self
    }

    /// Sets where it listens. Default: a unique address that the transport chooses.
    pub fn address(mut self, address: Address) -> Self {
        self.config.address = Some(address);
        self
    }

    /// Sets where others are told to dial it. Default: where it listens.
    pub fn advertise(mut self, address: Address) -> Self {
        self.config.advertise = Some(address);
        self
    }

    /// Sets how many sockets wait to be accepted before more are refused. Default: 4096.
    pub fn backlog(mut self, sockets: usize) -> Self {
        self.config.backlog = sockets;
        self
    }

    /// Sets how long the registry keeps it without a refresh. Default: 90 s.
    pub fn register_ttl(mut self, ttl: Duration) -> Self {
        self.config.register_ttl = ttl;
        self
    }

    /// Sets how often the registration is refreshed. Default: a third of its time to live.
    pub fn register_interval(mut self, interval: Duration) -> Self {
        self.config.register_interval = Some(interval);
        self
    }

    /// Sets the limits of the answering side.
    pub fn server_options(mut self, options: ServerOptions) -> Self {
        self.config.server = options;
        self
    }

    /// Sets how long a stop waits for what is in flight before it cuts it. Default: 30 s.
    pub fn shutdown_limit(mut self, limit: Duration) -> Self {
        self.config.shutdown_limit = limit;
        self
    }

    /// Replaces every setting at once.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// What holds once flags and environment have spoken.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a setting that can never work.
    pub fn settings(&self) -> Result<Config> {
        let mut config = self.config.clone();
        self.flags.clone().apply(&mut config);
        config.check(&self.plugins)?;
        Ok(config)
    }
}

impl fmt::Debug for ServiceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceBuilder")
            .field("config", &self.config)
            .field("flags", &self.flags)
            .field("router", &self.router)
            .finish_non_exhaustive()
    }
}
