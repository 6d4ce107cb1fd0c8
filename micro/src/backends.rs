//! The three backends, opened, and the client that calls through them.

use std::sync::Arc;

use micro_core::observe;
use micro_core::plugin::{PluginConfig, Plugins, Table};
use micro_core::{Broker, Client, Payload, Registry, Result, Transport, selector};

use crate::config::{BackendsConfig, PluginChoice};
use crate::events::TypedEvent;
use crate::flags::{self, BackendFlags};
use crate::plugins::default_plugins;
use crate::publisher::Publisher;

/// What a program needs that calls and publishes, but serves nothing: the three backends, and a [`Client`].
///
/// Cloning is cheap. A [`Service`](crate::Service) has one too.
///
/// ```no_run
/// use micro::prelude::*;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> micro::Result<()> {
/// let backends = micro::Backends::from_args("greeter-client").await?; // flags choose the plugins
/// let Json(reply): Json<String> =
///     backends.client().unary("greeter", "Greeter.Hello", Json("Ada".to_owned())).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Backends {
    transport: Arc<dyn Transport>,
    broker: Arc<dyn Broker>,
    registry: Arc<dyn Registry>,
    client: Client,
    /// Whose clones number their events together.
    publisher: Publisher,
}

impl Backends {
    /// Opens what flags and environment choose, among the [default plugins](default_plugins).
    ///
    /// Like `clap::Parser::parse`, it prints and **ends the process** for `--help`, `--version` and a mistake on the
    /// command line (exit code 2).
    ///
    /// # Errors
    /// What a plugin met while it was opened, such as [`Unavailable`](crate::ErrorKind::Unavailable).
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn from_args(name: &str) -> Result<Self> {
        Backends::from_flags(name, flags::parse::<BackendFlags>(name, &default_plugins())).await
    }

    /// Opens what the flags choose, among the [default plugins](default_plugins): for programs with flags of their
    /// own.
    ///
    /// # Errors
    /// As [`open`](Backends::open).
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn from_flags(name: &str, flags: BackendFlags) -> Result<Self> {
        let mut config = BackendsConfig::default();
        flags.apply(&mut config);
        Backends::open(name, &config, &default_plugins()).await
    }

    /// Opens the backends of this configuration. `name` tells the other side who connects.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an unknown name, listing the known ones; else what
    /// a plugin met while it was opened.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn open(name: &str, config: &BackendsConfig, plugins: &Plugins) -> Result<Self> {
        Backends::open_with(name, config, plugins, Given::default()).await
    }

    pub(crate) async fn open_with(
        name: &str,
        config: &BackendsConfig,
        plugins: &Plugins,
        given: Given,
    ) -> Result<Self> {
        config.check(plugins)?;
        observe::describe();
        let transport = open(&plugins.transport, given.transport, &config.transport, name).await?;
        let broker = open(&plugins.broker, given.broker, &config.broker, name).await?;
        let registry = open(&plugins.registry, given.registry, &config.registry, name).await?;
        let client = Client::builder()
            .transport(transport.clone())
            .registry(registry.clone())
            .selector(selector::strategy(&config.selector)?)
            .options(config.client.clone())
            .build()?;
        Ok(Backends {
            transport,
            publisher: Publisher::new(broker.clone()),
            broker,
            registry,
            client,
        })
    }

    /// Calls services by name.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Publishes typed events.
    pub fn publisher(&self) -> Publisher {
        self.publisher.clone()
    }

    /// Publishes one event on the topic of its type; see [`Publisher::publish`].
    ///
    /// # Errors
    /// As [`Publisher::publish`].
    ///
    /// # Cancel safety
    /// The event is published whole or not at all.
    pub async fn publish<E: TypedEvent>(&self, event: &E) -> Result<()> {
        self.publisher.publish(event).await
    }

    /// Publishes one event on a topic; see [`Publisher::publish_to`].
    ///
    /// # Errors
    /// As [`Publisher::publish_to`].
    ///
    /// # Cancel safety
    /// The event is published whole or not at all.
    pub async fn publish_to<P: Payload>(&self, topic: &str, event: &P) -> Result<()> {
        self.publisher.publish_to(topic, event).await
    }

    /// What carries calls.
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    /// What carries events.
    pub fn broker(&self) -> &Arc<dyn Broker> {
        &self.broker
    }

    /// What knows who serves what.
    pub fn registry(&self) -> &Arc<dyn Registry> {
        &self.registry
    }
}

/// Backends that code made itself, which therefore need no plugin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) transport: Option<Arc<dyn Transport>>,
    pub(crate) broker: Option<Arc<dyn Broker>>,
    pub(crate) registry: Option<Arc<dyn Registry>>,
}

async fn open<T: ?Sized>(
    table: &Table<T>,
    given: Option<Arc<T>>,
    choice: &PluginChoice,
    name: &str,
) -> Result<Arc<T>> {
    if let Some(backend) = given {
        return Ok(backend);
    }
    let mut config = PluginConfig::default()
        .with_client_name(name)
        .with_security(choice.security.clone());
    config.addresses.clone_from(&choice.addresses);
    config.busy_poll = choice.busy_poll;
    table.open(&choice.plugin, config).await
}
