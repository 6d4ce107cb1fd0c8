//! A network of hosts that a test has for itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use micro_core::{Client, Error, ErrorKind, Result};
use parking_lot::Mutex;

use super::backing::{Backing, Memory};
use super::host::Host;
use super::name::Name;
use super::network::Network;
use super::script::{ScriptedClient, ScriptedService};
use crate::publisher::Publisher;
use crate::service::ServiceBuilder;

/// Sets the seed of all testbeds that are not given one.
pub(super) const SEED: &str = "MICRO_TEST_SEED";

/// The host of those for whom none is named.
const CALLER: &str = "caller";

/// A network of hosts that a test has for itself: services and callers, and what goes wrong between them.
///
/// The same test runs in memory and on a real nats-server:
///
/// ```
/// use micro::prelude::*;
/// use micro::testing::Testbed;
///
/// async fn hello(_: Context, Json(name): Json<String>) -> Result<Json<String>, Status> {
///     Ok(Json(format!("Hello {name}")))
/// }
///
/// async fn greets(bed: Testbed) -> micro::Result<()> {
///     let _greeter = bed.service("greeter").serve(Router::new().unary("Greeter.Hello", hello)).start().await?;
///     let call = bed.client().await?.unary("greeter", "Greeter.Hello", Json("Ada".to_owned()));
///     assert_eq!(call.await, Ok(Json("Hello Ada".to_owned())));
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> micro::Result<()> {
/// greets(Testbed::memory()).await // or Testbed::nats().await
/// # }
/// ```
///
/// With a paused clock (`#[tokio::test(start_paused = true)]`) a test in memory waits for no time to pass: when nothing
/// else can happen, the clock jumps to what happens next.
#[derive(Debug)]
pub struct Testbed {
    pub(super) network: Arc<Network>,
    backing: Arc<Backing>,
    pub(super) hosts: Mutex<BTreeMap<Name, Host>>,
}

impl Testbed {
    /// A testbed in memory, with nothing installed.
    pub fn memory() -> Self {
        Testbed::on(Backing::Memory(Memory::new()))
    }

    /// A testbed on a real nats-server of its own: the program that `NATS_SERVER` names, else the first on `PATH`.
    ///
    /// # Panics
    /// When there is none, saying how to get one, or it does not start within 10 s; and when the clock is paused, since
    /// a server of the real world does not wait for it.
    ///
    /// # Cancel safety
    /// Nothing is left behind: the server is killed.
    #[cfg(feature = "nats")]
    pub async fn nats() -> Self {
        super::clock::must_run();
        Testbed::on(Backing::Nats(super::backing::nats::Nats::start().await))
    }

    /// A testbed on servers that run already; a comma-separated list. For servers with settings of their own, and
    /// for tests that kill them.
    ///
    /// # Panics
    /// When the clock is paused.
    #[cfg(feature = "nats")]
    pub fn nats_at(servers: &str) -> Self {
        super::clock::must_run();
        Testbed::on(Backing::Nats(super::backing::nats::Nats::at(servers)))
    }

    /// A testbed on the backends of this name, for a test that takes it from its arguments: `memory`, or `nats`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for another name, listing these.
    ///
    /// # Panics
    /// As [`nats`](Testbed::nats).
    ///
    /// # Cancel safety
    /// Nothing is left behind.
    pub async fn named(backends: &str) -> Result<Self> {
        match backends {
            micro_core::memory::NAME => Ok(Testbed::memory()),
            #[cfg(feature = "nats")]
            transport_nats::NAME => Ok(Testbed::nats().await),
            _ => Err(unknown(backends)),
        }
    }

    fn on(backing: Backing) -> Self {
        let seed = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
        Testbed {
            network: Arc::new(Network::new(seed.unwrap_or_else(|| fastrand::u64(..)))),
            backing: Arc::new(backing),
            hosts: Mutex::default(),
        }
    }

    /// Draws all faults from this seed. Default: what `MICRO_TEST_SEED` says, else another one each time.
    ///
    /// It begins anew: hosts that were asked for before belong to another network.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Testbed {
            network: Arc::new(Network::new(seed)),
            backing: self.backing,
            hosts: Mutex::default(),
        }
    }

    /// What faults are drawn from.
    pub fn seed(&self) -> u64 {
        self.network.seed()
    }

    /// The host of that name; a new one when there is none yet.
    pub fn host(&self, name: &str) -> Host {
        let mut hosts = self.hosts.lock();
        let host = hosts
            .entry(Name::from(name))
            .or_insert_with_key(|name| Host::new(name.clone(), self.network.clone(), self.backing.clone()));
        host.clone()
    }

    /// A service on a host of the same name; see [`Host::service`]. For several instances, name a host for each.
    pub fn service(&self, name: &str) -> ServiceBuilder {
        self.host(name).service(name)
    }

    /// Calls services, from a host named `caller`.
    ///
    /// # Errors
    /// As [`Host::backends`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn client(&self) -> Result<Client> {
        self.host(CALLER).client().await
    }

    /// Publishes events, from a host named `caller`.
    ///
    /// # Errors
    /// As [`Host::backends`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn publisher(&self) -> Result<Publisher> {
        self.host(CALLER).publisher().await
    }

    /// Takes the place of a service, on a host of the same name; see [`Host::scripted_service`].
    ///
    /// # Errors
    /// As [`ServiceBuilder::start`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn scripted_service(&self, name: &str) -> Result<ScriptedService> {
        self.host(name).scripted_service(name).await
    }

    /// Takes the place of a caller of this service, on a host named `caller`; see [`Host::scripted_client`].
    ///
    /// # Errors
    /// As [`Host::backends`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn scripted_client(&self, service: &str) -> Result<ScriptedClient> {
        self.host(CALLER).scripted_client(service).await
    }
}

fn unknown(backends: &str) -> Error {
    let known = match cfg!(feature = "nats") {
        true => "memory, nats",
        false => "memory (nats needs the feature of that name)",
    };
    Error::new(
        ErrorKind::InvalidArgument,
        format!("unknown backends {backends:?}; known: {known}"),
    )
}
