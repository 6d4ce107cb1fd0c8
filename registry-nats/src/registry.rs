//! The registry: what a caller sees of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use micro_core::name;
use micro_core::plugin::PluginConfig;
use micro_core::registry::{Action, Change, RegisterOptions, Registry, ServiceRecord, WatchOptions, Watcher};
use micro_core::{Error, ErrorKind, Result};
use nats_common::Connection;
use tokio::sync::OnceCell;

use crate::NAME;
use crate::config::{RegistryOptions, is_registry_subject};
use crate::hub::Hub;
use crate::ledger::Ledger;
use crate::own::Own;
use crate::patience::End;
use crate::query::Asker;
use crate::responder::{Announcer, Responder, obituary};
use crate::ttl;
use crate::watch::Watch;
use crate::wire::Query;

/// A [`Registry`] on NATS.
///
/// It subscribes to queries when something is registered through it for the first time, and to announcements when
/// somebody watches for the first time. Dropping it takes back what was registered, as far as the connection still
/// carries it. Its watchers live on.
pub struct NatsRegistry {
    announcer: Announcer,
    options: RegistryOptions,
    hub: Arc<Hub>,
    responder: OnceCell<Responder>,
    watch: OnceCell<Arc<Watch>>,
}

impl NatsRegistry {
    /// A registry on a connection that exists.
    pub fn new(connection: Arc<Connection>, options: RegistryOptions) -> Self {
        NatsRegistry {
            announcer: Announcer {
                connection,
                topics: options.topics,
                own: Arc::new(Own::default()),
                ledger: Arc::new(Ledger::default()),
            },
            hub: Arc::new(Hub::new(options.node_ttl)),
            options,
            responder: OnceCell::new(),
            watch: OnceCell::new(),
        }
    }

    /// A registry on the process's connection to these servers.
    ///
    /// # Errors
    /// As [`RegistryOptions::from_config`] and [`Connection::shared`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn connect(config: &PluginConfig) -> Result<Self> {
        let (options, config) = RegistryOptions::from_config(config)?;
        Ok(NatsRegistry::new(Connection::shared(&config).await?, options))
    }

    /// How many messages on the registry's subjects were ignored, because they were none that a registry sends.
    pub fn ignored(&self) -> u64 {
        self.announcer.ledger.ignored()
    }

    async fn find(&self, query: &Query) -> Result<(Vec<ServiceRecord>, End)> {
        let asker = Asker {
            connection: &self.announcer.connection,
            options: &self.options,
            hub: &self.hub,
            watch: self.watch.get().map(Arc::as_ref),
            ledger: &self.announcer.ledger,
        };
        asker.ask(query, &self.announcer.own.records(query)).await
    }

    /// What whoever asks for a service can check that nobody serves.
    fn nobody(&self, name: &str, end: End) -> Error {
        let why = match end {
            End::Unserved => "no registry listens there",
            End::Complete | End::Silent | End::Limit => "no registry there knows it",
        };
        let (servers, topics) = (self.announcer.connection.servers(), self.options.topics.name());
        let message = format!(
            "nobody serves {name:?} on NATS at {servers}, with topics={topics}: {why}; check that it runs, with \
             --registry=nats at the same server and the same topics (go-micro before v5.7 has topics=plugins)"
        );
        Error::new(ErrorKind::NotFound, message)
    }

    async fn listen(&self) -> Result<Arc<Watch>> {
        let Announcer {
            connection, ledger, ..
        } = &self.announcer;
        let watch = Watch::start(connection, self.options.topics, &self.hub, ledger);
        watch.await.map(Arc::new)
    }

    async fn announce(&self, change: Change) -> Result<()> {
        let connection = &self.announcer.connection;
        let told = connection.told();
        self.announcer.announce(&change).await?;
        // A process that ends now has said it all the same; one that may not say it learns of that.
        connection.settle(&told, is_registry_subject).await
    }

    async fn enter(&self, service: &ServiceRecord, options: RegisterOptions) -> Result<()> {
        service.check()?;
        let record = completed(service, options.ttl);
        let change = Change::new(Action::Create, record);
        self.announcer.announcements(&change)?;
        let respond = || Responder::start(self.announcer.clone());
        self.responder.get_or_try_init(respond).await?;
        let fresh = self.announcer.own.hold(&change.service, options.ttl);
        let announced = self.announce(change).await;
        if announced.is_err() {
            // Who was told that it failed does not expect to be called.
            self.announcer.own.release(&fresh);
        }
        announced
    }
}

/// Without a protocol, a go-micro client takes another one than ours, and reads empty answers without an error.
fn completed(service: &ServiceRecord, ttl: Duration) -> ServiceRecord {
    let mut record = service.clone();
    for node in &mut record.nodes {
        let protocol = node.metadata.entry("protocol".to_owned());
        protocol.or_insert_with(|| "mucp".to_owned());
        ttl::tell(node, ttl);
    }
    record
}

#[async_trait]
impl Registry for NatsRegistry {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn register(&self, service: &ServiceRecord, options: RegisterOptions) -> Result<()> {
        self.enter(service, options)
            .await
            .map_err(|error| error.with_operation("register"))
    }

    async fn deregister(&self, service: &ServiceRecord) -> Result<()> {
        let Some(released) = self.announcer.own.release(service) else {
            return Ok(());
        };
        self.announce(obituary(released))
            .await
            .map_err(|error| error.with_operation("deregister"))
    }

    async fn get(&self, name: &str) -> Result<Vec<ServiceRecord>> {
        let about = |error: Error| error.with_operation("get").with_context("service", name);
        name::check_service(name).map_err(|error| error.with_operation("get"))?;
        match self.find(&Query::Get(name.to_owned())).await.map_err(about)? {
            (found, end) if found.is_empty() => Err(self.nobody(name, end).with_operation("get")),
            (found, _) => Ok(found),
        }
    }

    async fn list(&self) -> Result<Vec<ServiceRecord>> {
        let found = self.find(&Query::List).await;
        found
            .map(|(found, _)| found)
            .map_err(|error| error.with_operation("list"))
    }

    async fn watch(&self, options: WatchOptions) -> Result<Watcher> {
        if let Some(service) = &options.service {
            name::check_service(service).map_err(|error| error.with_operation("watch"))?;
        }
        let watch = self.watch.get_or_try_init(|| self.listen());
        let watch = watch
            .await
            .map_err(|error| error.with_operation("watch"))?
            .clone();
        let changes = self.hub.follow(options).map(move |item| {
            // The watcher may outlive the registry: it holds what feeds it.
            let _ = &watch;
            item.flatten()
        });
        Ok(Watcher::new(changes))
    }
}

impl Drop for NatsRegistry {
    fn drop(&mut self) {
        for record in self.announcer.own.release_all() {
            // One that could be announced once is not too large to be taken back.
            let messages = self.announcer.announcements(&obituary(record));
            for message in messages.unwrap_or_default() {
                self.announcer.connection.publish_now(message);
            }
        }
    }
}

impl fmt::Debug for NatsRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsRegistry")
            .field("connection", &self.announcer.connection)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
