//! Which backends a service has, and how it calls through them.

use std::sync::Arc;

use micro_core::plugin::{Plugins, Secret};
use micro_core::{Broker, ClientOptions, Error, ErrorKind, Registry, Result, Transport};

use super::builder::ServiceBuilder;
use crate::backends::Given;
use crate::config::PluginChoice;
use crate::flags::BackendFlags;

impl ServiceBuilder {
    /// Carries calls over this transport, made by code. `--transport` beats it.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.given.transport = Some(transport);
        self
    }

    /// Carries events over this broker, made by code. `--broker` beats it.
    pub fn broker(mut self, broker: Arc<dyn Broker>) -> Self {
        self.given.broker = Some(broker);
        self
    }

    /// Is found in this registry, made by code. `--registry` beats it.
    pub fn registry(mut self, registry: Arc<dyn Registry>) -> Self {
        self.given.registry = Some(registry);
        self
    }

    /// Carries calls over the plugin of that name. `--transport` beats it.
    pub fn transport_plugin(mut self, choice: PluginChoice) -> Self {
        self.config.backends.transport = choice;
        self.given.transport = None;
        self
    }

    /// Carries events over the plugin of that name. `--broker` beats it.
    pub fn broker_plugin(mut self, choice: PluginChoice) -> Self {
        self.config.backends.broker = choice;
        self.given.broker = None;
        self
    }

    /// Is found in the registry of that name. `--registry` beats it.
    pub fn registry_plugin(mut self, choice: PluginChoice) -> Self {
        self.config.backends.registry = choice;
        self.given.registry = None;
        self
    }

    /// Chooses among these plugins. Default: [`default_plugins`](crate::default_plugins).
    pub fn plugins(mut self, plugins: Plugins) -> Self {
        self.plugins = plugins;
        self
    }

    /// Sets what the client does when a call says nothing else.
    pub fn client_options(mut self, options: ClientOptions) -> Self {
        self.config.backends.client = options;
        self
    }

    /// Sets how the client picks a node, by name. Default: `random`.
    pub fn selector(mut self, name: impl Into<String>) -> Self {
        self.config.backends.selector = name.into();
        self
    }

    /// What code made gives way to a flag. An address alone would have no effect on it, so it is refused.
    pub(super) fn given(&self) -> Result<Given> {
        let BackendFlags {
            transport,
            transport_address,
            broker,
            broker_address,
            registry,
            registry_address,
            ..
        } = &self.flags.backends;
        Ok(Given {
            transport: unless("transport", &self.given.transport, transport, transport_address)?,
            broker: unless("broker", &self.given.broker, broker, broker_address)?,
            registry: unless("registry", &self.given.registry, registry, registry_address)?,
        })
    }
}

fn unless<T: ?Sized>(
    kind: &str,
    given: &Option<Arc<T>>,
    plugin: &Option<String>,
    address: &Option<Secret>,
) -> Result<Option<Arc<T>>> {
    match (given, plugin, address) {
        (Some(_), None, Some(_)) => Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("--{kind}_address has no effect on the {kind} that the program made; add --{kind}"),
        )),
        (_, Some(_), _) => Ok(None),
        (given, None, _) => Ok(given.clone()),
    }
}
