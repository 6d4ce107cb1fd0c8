//! What a service is to be, before it starts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use micro_core::plugin::Plugins;
use micro_core::{
    Address, Broker, ClientOptions, Context, Error, ErrorKind, Event, Payload, Registry, Request, Response,
    Result, Router, ServerOptions, Status, Transport,
};
use tower::{BoxError, Layer};

use crate::backends::Given;
use crate::config::{Config, PluginChoice};
use crate::events::{self, Handler, SubscriberOptions};
use crate::flags::{BackendFlags, Flags};
use crate::plugins::default_plugins;
use crate::service::layer::{Layers, Routes};

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
}

/// A subscription to be made.
pub(super) struct Subscriber {
    pub(super) topic: String,
    pub(super) options: SubscriberOptions,
    pub(super) handler: Handler,
    /// What it is called in the registry.
    pub(super) name: String,
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

    /// Serves the endpoints of a router, beside those added before.
    pub fn serve(mut self, routes: impl Into<Router>) -> Self {
        self.router = self.router.merge(routes.into());
        self
    }

    /// Wraps all endpoints in middleware of the tower ecosystem; what is added last sees a request first.
    ///
    /// An error of the middleware's own becomes [`Internal`](crate::Code::Internal), unless it is a [`Status`].
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Routes> + Send + 'static,
        L::Service: tower::Service<Request, Response = Response> + Clone + Send + Sync + 'static,
        <L::Service as tower::Service<Request>>::Error: Into<BoxError> + 'static,
        <L::Service as tower::Service<Request>>::Future: Send + 'static,
    {
        self.layers.push(layer);
        self
    }

    /// Handles every event of a topic: `async fn(Context, Json<Greeting>) -> Result<(), Status>`.
    ///
    /// The context's metadata are the headers that the publisher set. Events are handled one after the other; an
    /// error is logged and counted.
    pub fn subscribe<E, F, Fut>(self, topic: &str, handler: F) -> Self
    where
        E: Payload,
        F: Fn(Context, E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Status>> + Send + 'static,
    {
        self.subscribe_with(topic, SubscriberOptions::default(), handler)
    }

    /// Handles a share of the events of a topic: each goes to one member of the queue group.
    pub fn subscribe_queue<E, F, Fut>(self, topic: &str, queue: &str, handler: F) -> Self
    where
        E: Payload,
        F: Fn(Context, E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Status>> + Send + 'static,
    {
        self.subscribe_with(topic, SubscriberOptions::default().with_queue(queue), handler)
    }

    /// Handles events of a topic, by options.
    pub fn subscribe_with<E, F, Fut>(self, topic: &str, options: SubscriberOptions, handler: F) -> Self
    where
        E: Payload,
        F: Fn(Context, E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Status>> + Send + 'static,
    {
        self.add_subscriber::<F>(topic, options, events::typed(handler))
    }

    /// Handles events as they come, undecoded and with their topic: for wildcards.
    pub fn subscribe_raw<F, Fut>(self, topic: &str, options: SubscriberOptions, handler: F) -> Self
    where
        F: Fn(Context, Event) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Status>> + Send + 'static,
    {
        self.add_subscriber::<F>(topic, options, events::raw(handler))
    }

    fn add_subscriber<F>(mut self, topic: &str, options: SubscriberOptions, handler: Handler) -> Self {
        self.subscribers.push(Subscriber {
            topic: topic.to_owned(),
            options,
            handler,
            name: name_of::<F>(topic),
        });
        self
    }

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

    /// Chooses among these plugins. Default: [`default_plugins`].
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
    /// [`ErrorKind::InvalidArgument`] for a setting that can never work.
    pub fn settings(&self) -> Result<Config> {
        let mut config = self.config.clone();
        self.flags.clone().apply(&mut config);
        config.check(&self.plugins)?;
        Ok(config)
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
    address: &Option<String>,
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

/// The name of a function; of a closure, which has none, the topic.
fn name_of<F>(topic: &str) -> String {
    let path = std::any::type_name::<F>();
    match path.rsplit("::").next() {
        Some(name) if name.chars().all(|c| c.is_alphanumeric() || c == '_') => name.to_owned(),
        _ => topic.to_owned(),
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
