//! One host of a testbed: what a process is in the field.

use std::sync::Arc;

use micro_core::plugin::Plugins;
use micro_core::{Broker, Client, Registry, Result, Transport};
use parking_lot::Mutex;

use super::backing::Backing;
use super::broker::TestBroker;
use super::life::Life;
use super::name::Name;
use super::network::Network;
use super::registry::TestRegistry;
use super::script::{ScriptedClient, ScriptedService};
use super::transport::TestTransport;
use crate::backends::Backends;
use crate::config::{BackendsConfig, PluginChoice};
use crate::plugins::default_plugins;
use crate::publisher::Publisher;
use crate::service::{Service, ServiceBuilder};

const PLUGIN: &str = "testbed";

/// One host of a [`Testbed`](super::Testbed): what a process on a machine of its own is in the field.
///
/// Services, clients and publishers of one host share its backends, and are parted and killed together. Cloning is
/// cheap, and clones are the same host.
#[derive(Clone, Debug)]
pub struct Host(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: Name,
    network: Arc<Network>,
    backing: Arc<Backing>,
    lives: Mutex<Lives>,
}

#[derive(Debug)]
struct Lives {
    now: Arc<Life>,
    /// They keep what they had registered.
    past: Vec<Arc<Life>>,
}

impl Host {
    pub(super) fn new(name: Name, network: Arc<Network>, backing: Arc<Backing>) -> Self {
        let life = Life::new(name.clone(), network.clone(), backing.clone());
        Host(Arc::new(Inner {
            name,
            network,
            backing,
            lives: Mutex::new(Lives {
                now: Arc::new(life),
                past: Vec::new(),
            }),
        }))
    }

    /// Its name in the testbed.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// A service on this host, to be given endpoints and subscriptions, and started.
    ///
    /// The builder comes with the backends of this host; a flag or a plugin set on it takes the service out of the
    /// testbed.
    pub fn service(&self, name: &str) -> ServiceBuilder {
        let choice = || PluginChoice::new(PLUGIN);
        Service::builder(name)
            .plugins(self.plugins())
            .transport_plugin(choice())
            .broker_plugin(choice())
            .registry_plugin(choice())
    }

    /// The three backends of this host, and a client of its own.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable) after a [`kill`](Host::kill), and when the nats-server is gone.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn backends(&self) -> Result<Backends> {
        let config = BackendsConfig {
            transport: PluginChoice::new(PLUGIN),
            broker: PluginChoice::new(PLUGIN),
            registry: PluginChoice::new(PLUGIN),
            ..BackendsConfig::default()
        };
        Backends::open(self.name(), &config, &self.plugins()).await
    }

    /// Calls services from this host.
    ///
    /// # Errors
    /// As [`backends`](Host::backends).
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn client(&self) -> Result<Client> {
        Ok(self.backends().await?.client().clone())
    }

    /// Publishes events from this host.
    ///
    /// # Errors
    /// As [`backends`](Host::backends).
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn publisher(&self) -> Result<Publisher> {
        Ok(self.backends().await?.publisher())
    }

    /// Takes the place of a service: the test sees each request, and answers as it likes.
    ///
    /// # Errors
    /// As [`ServiceBuilder::start`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn scripted_service(&self, name: &str) -> Result<ScriptedService> {
        ScriptedService::start(self.service(name)).await
    }

    /// Takes the place of a caller of this service: the test says what no client of ours would.
    ///
    /// # Errors
    /// As [`backends`](Host::backends).
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn scripted_client(&self, service: &str) -> Result<ScriptedClient> {
        Ok(ScriptedClient::new(self.backends().await?, service))
    }

    /// Ends this host without a word to anybody, as a power cut does.
    ///
    /// Its addresses are free and its subscriptions gone at once, its sockets end with
    /// [`Unavailable`](crate::ErrorKind::Unavailable) at both ends, and what was on its way over them is lost. The
    /// registry knows it until its time to live is over. Whatever is asked of its backends fails. Handlers of its
    /// requests are cancelled; a handler of an event that runs is cut when its [`Service`] is dropped.
    pub fn kill(&self) {
        self.life().end();
    }

    /// Begins anew, with backends that know nothing of those before; services are to be started anew. A host that
    /// still lives is killed first.
    pub fn restart(&self) {
        self.kill();
        let Inner {
            name,
            network,
            backing,
            lives,
        } = &*self.0;
        let life = Life::new(name.clone(), network.clone(), backing.clone());
        let mut lives = lives.lock();
        let past = std::mem::replace(&mut lives.now, Arc::new(life));
        lives.past.push(past);
    }

    fn life(&self) -> Arc<Life> {
        self.0.lives.lock().now.clone()
    }

    /// The default plugins, and those of this life, with the network's faults in front of them.
    fn plugins(&self) -> Plugins {
        let mut plugins = default_plugins();
        let life = self.life();
        let of = life.clone();
        plugins.transport.register(PLUGIN, move |_| {
            let life = of.clone();
            async move {
                let below = life.transport().await?;
                Ok(Arc::new(TestTransport::new(life, below)) as Arc<dyn Transport>)
            }
        });
        let of = life.clone();
        plugins.broker.register(PLUGIN, move |_| {
            let life = of.clone();
            async move {
                let below = life.broker().await?;
                Ok(Arc::new(TestBroker::new(life, below)) as Arc<dyn Broker>)
            }
        });
        plugins.registry.register(PLUGIN, move |_| {
            let life = life.clone();
            async move {
                let below = life.registry().await?;
                Ok(Arc::new(TestRegistry::new(life, below)) as Arc<dyn Registry>)
            }
        });
        plugins
    }
}
