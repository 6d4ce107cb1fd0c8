//! A service: found by name, called, told of events, and stopped without loss.

mod builder;
mod choice;
mod handlers;
mod health;
mod layer;
mod record;
mod registration;
mod run;
mod signals;
mod standing;
mod start;
mod subscriber;
mod subscription;

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use micro_core::plugin::Plugins;
use micro_core::{Broker, Client, Node, Payload, Registry, Result, Server, ServiceRecord, name};

use crate::backends::Backends;
use crate::events::{EventCounts, TypedEvent};
use crate::flags::{self, Flags};
use crate::plugins::default_plugins;
use crate::publisher::Publisher;

pub use builder::ServiceBuilder;
pub use health::Health;
pub use layer::Routes;
pub use run::Report;

/// A service that runs: it is registered, and can be called.
///
/// Dropping it deregisters it, best effort, and cuts what is in flight; [`shutdown`](Service::shutdown) lets that
/// finish.
///
/// ```
/// use micro::prelude::*;
///
/// async fn hello(_: Context, Json(name): Json<String>) -> Result<Json<String>, Status> {
///     Ok(Json(format!("Hello {name}")))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> micro::Result<()> {
/// let service = Service::builder("greeter")
///     .version("1.0.0")
///     .serve(Router::new().unary("Greeter.Hello", hello))
///     .start()
///     .await?;
/// let Json(reply): Json<String> =
///     service.client().unary("greeter", "Greeter.Hello", Json("Ada".to_owned())).await?;
/// assert_eq!(reply, "Hello Ada");
/// service.shutdown().await?;
/// # Ok(()) }
/// ```
pub struct Service {
    // Dropped in this order: out of the registry first.
    registration: registration::Registration,
    events: start::Events,
    server: Server,
    vitals: Arc<health::Vitals>,
    backends: Backends,
    record: ServiceRecord,
    limit: Duration,
}

impl Service {
    /// A service whose plugins and settings are chosen by the arguments of the process and its environment.
    ///
    /// Like `clap::Parser::parse`, it prints and **ends the process** for `--help`, `--version` and a mistake on the
    /// command line (exit code 2). [`try_from_args`](Service::try_from_args) does not.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an illegal name.
    pub fn from_args(name: &str) -> Result<ServiceBuilder> {
        Service::from_args_with(name, default_plugins())
    }

    /// As [`from_args`](Service::from_args), with a table of plugins of one's own.
    ///
    /// # Errors
    /// As [`from_args`](Service::from_args).
    pub fn from_args_with(name: &str, plugins: Plugins) -> Result<ServiceBuilder> {
        name::check_service(name)?;
        let flags = flags::parse::<Flags>(name, &plugins);
        let builder = Service::builder(name).plugins(plugins).flags(flags);
        Ok(checked(builder).unwrap_or_else(|error| flags::mistake(error).exit()))
    }

    /// As [`from_args`](Service::from_args), of these arguments, of which the first is the name of the program.
    /// Never ends the process.
    ///
    /// # Errors
    /// What clap has to say, `--help` included: print it with [`clap::Error::print`], and end with its
    /// [`exit_code`](clap::Error::exit_code).
    pub fn try_from_args<I>(name: &str, args: I) -> Result<ServiceBuilder, clap::Error>
    where
        I: IntoIterator<Item: Into<OsString> + Clone>,
    {
        let plugins = default_plugins();
        let flags = flags::try_parse::<Flags>(name, &plugins, args)?;
        checked(Service::builder(name).plugins(plugins).flags(flags)).map_err(flags::mistake)
    }

    /// A service whose plugins and settings are chosen by flags that were parsed already: for programs with flags of
    /// their own.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a name that is not known, listing those that are,
    /// and for settings that can never work.
    pub fn from_flags(name: &str, flags: Flags) -> Result<ServiceBuilder> {
        checked(Service::builder(name).flags(flags))
    }

    /// A service whose plugins and settings are chosen by code; without a choice, all is in memory.
    pub fn builder(name: &str) -> ServiceBuilder {
        ServiceBuilder::new(name)
    }

    /// The name by which it is found.
    pub fn name(&self) -> &str {
        &self.record.name
    }

    /// The version.
    pub fn version(&self) -> &str {
        &self.record.version
    }

    /// What the registry was told of it.
    pub fn record(&self) -> &ServiceRecord {
        &self.record
    }

    /// The id of this instance.
    pub fn id(&self) -> &str {
        self.node().map_or("", |node| &node.id)
    }

    /// Where others dial it: the advertised address if there is one.
    pub fn address(&self) -> &str {
        self.node().map_or("", |node| &node.address)
    }

    fn node(&self) -> Option<&Node> {
        self.record.nodes.first()
    }

    /// How it is.
    pub fn health(&self) -> Health {
        self.vitals.health()
    }

    /// How many requests are running now.
    pub fn in_flight(&self) -> usize {
        self.server.in_flight()
    }

    /// What became of the events that it subscribed to.
    pub fn events(&self) -> EventCounts {
        self.events.shared.counters.read()
    }

    /// The three backends, and the client.
    pub fn backends(&self) -> &Backends {
        &self.backends
    }

    /// Calls other services.
    pub fn client(&self) -> &Client {
        self.backends.client()
    }

    /// Publishes typed events.
    pub fn publisher(&self) -> Publisher {
        self.backends.publisher()
    }

    /// Publishes one event on the topic of its type; see [`Publisher::publish`].
    ///
    /// # Errors
    /// As [`Publisher::publish`].
    ///
    /// # Cancel safety
    /// The event is published whole or not at all.
    pub async fn publish<E: TypedEvent>(&self, event: &E) -> Result<()> {
        self.backends.publish(event).await
    }

    /// Publishes one event on a topic; see [`Publisher::publish_to`].
    ///
    /// # Errors
    /// As [`Publisher::publish_to`].
    ///
    /// # Cancel safety
    /// The event is published whole or not at all.
    pub async fn publish_to<P: Payload>(&self, topic: &str, event: &P) -> Result<()> {
        self.backends.publish_to(topic, event).await
    }

    /// What carries events.
    pub fn broker(&self) -> &Arc<dyn Broker> {
        self.backends.broker()
    }

    /// What knows who serves what.
    pub fn registry(&self) -> &Arc<dyn Registry> {
        self.backends.registry()
    }
}

/// Reports at once what is wrong with the flags, instead of when the service starts.
fn checked(builder: ServiceBuilder) -> Result<ServiceBuilder> {
    builder.settings()?;
    Ok(builder)
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("name", &self.name())
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
