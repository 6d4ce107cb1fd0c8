//! From a builder to a service that can be reached; when a step fails, those before it are undone.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use micro_core::observe::Methods;
use micro_core::registry::Endpoint;
use micro_core::transport::ListenOptions;
use micro_core::{Result, Server, ServiceRecord, memory, name};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Service;
use super::builder::ServiceBuilder;
use super::health::{self, Phase, Vitals};
use super::record::{endpoint, record};
use super::registration::{Entry, Registration};
use super::standing::Standing;
use super::subscriber::Subscriber;
use super::subscription::{Shared, Worker};
use crate::backends::Backends;
use crate::config::Config;
use crate::events::Counters;

impl ServiceBuilder {
    /// Opens the backends, listens, subscribes and registers. When this returns, the service can be reached.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a mistake in what was set, before anything is
    /// opened; else what a backend met. What was begun before is undone.
    ///
    /// # Cancel safety
    /// Dropping the future undoes what was begun.
    pub async fn start(mut self) -> Result<Service> {
        let config = self.settings()?;
        self.check()?;
        self.tell_of_failures();
        let given = self.given()?;
        let backends = Backends::open_with(&config.name, &config.backends, &self.plugins, given).await?;
        if let Some(warning) = unreachable(backends.transport().name(), backends.registry().name()) {
            tracing::warn!(service = %config.name, "{warning}");
        }
        let vitals = Arc::new(Vitals::default());
        let router = self.router.merge(health::router(vitals.clone()));
        router.check()?;
        let mut endpoints = router.endpoints();
        endpoints.extend(self.subscribers.iter().map(endpoint));

        let listener = backends.transport().listen(listen(&config)).await?;
        let methods = Methods::new(&config.name, router.names());
        let options = config.server.clone().with_methods(methods);
        let server = Server::serve(listener, self.layers.wrap(router), options);
        vitals.hear(server.trouble());
        let mut parts = Parts::new(server, vitals);
        match parts.go_on(&config, &backends, self.subscribers, endpoints).await {
            Ok((record, registration)) => Ok(parts.into_service(config, backends, record, registration)),
            Err(error) => {
                parts.undo().await;
                Err(error)
            }
        }
    }

    /// Subscriptions without an error handler of their own get that of the service.
    fn tell_of_failures(&mut self) {
        for Subscriber { options, .. } in &mut self.subscribers {
            options.error_handler = options.error_handler.take().or_else(|| self.event_errors.clone());
        }
    }

    fn check(&self) -> Result<()> {
        self.router.check()?;
        for subscriber in &self.subscribers {
            name::check_pattern(&subscriber.topic)
                .and_then(|()| subscriber.options.subscribe().check())
                .map_err(|error| {
                    error
                        .with_operation("subscribe")
                        .with_context("topic", &subscriber.topic)
                })?;
        }
        Ok(())
    }
}

/// What has been begun.
struct Parts {
    server: Server,
    events: Events,
    vitals: Arc<Vitals>,
}

/// The subscriptions of a service. Dropping it ends them, and cuts their handlers.
pub(super) struct Events {
    pub(super) shared: Shared,
    pub(super) workers: JoinSet<()>,
    /// Ends what still runs when the service is dropped.
    _cut: DropGuard,
}

impl Parts {
    fn new(server: Server, vitals: Arc<Vitals>) -> Self {
        let cut = CancellationToken::new();
        let shared = Shared {
            counters: Arc::new(Counters::default()),
            drain: CancellationToken::new(),
            cut: cut.clone(),
        };
        let events = Events {
            shared,
            workers: JoinSet::new(),
            _cut: cut.drop_guard(),
        };
        Parts {
            server,
            events,
            vitals,
        }
    }

    async fn go_on(
        &mut self,
        config: &Config,
        backends: &Backends,
        subscribers: Vec<Subscriber>,
        endpoints: Vec<Endpoint>,
    ) -> Result<(ServiceRecord, Registration)> {
        self.subscribe(backends, subscribers).await?;
        let record = record(config, backends, &self.server, endpoints);
        let entry = Entry {
            registry: backends.registry().clone(),
            record: record.clone(),
            ttl: config.register_ttl,
            interval: config.refresh_interval(),
        };
        let registration = Registration::begin(entry, self.vitals.clone()).await?;
        Ok((record, registration))
    }

    /// Subscribes to all topics at once.
    async fn subscribe(&mut self, backends: &Backends, subscribers: Vec<Subscriber>) -> Result<()> {
        let broker = backends.broker();
        for subscriber in &subscribers {
            subscriber.check(&**broker)?;
        }
        let subscribed = subscribers.into_iter().map(async |subscriber| {
            let options = subscriber.options.subscribe();
            let subscription = broker.subscribe(&subscriber.topic, options).await;
            (subscription, subscriber)
        });
        for (number, (subscription, subscriber)) in join_all(subscribed).await.into_iter().enumerate() {
            let standing = Standing::new(number, self.vitals.clone(), broker.clone());
            let worker = Worker::new(subscription?, subscriber, standing, self.events.shared.clone());
            self.events.workers.spawn(worker.run());
        }
        Ok(())
    }

    fn into_service(
        self,
        config: Config,
        backends: Backends,
        record: ServiceRecord,
        registration: Registration,
    ) -> Service {
        self.vitals.enter(Phase::Serving);
        let address = self.server.address();
        tracing::info!(service = %record.name, version = %record.version, %address, "serving");
        Service {
            registration,
            events: self.events,
            server: self.server,
            vitals: self.vitals,
            backends,
            record,
            limit: config.shutdown_limit,
        }
    }

    /// Nobody was told of it yet, so nothing is worth waiting for.
    async fn undo(mut self) {
        self.events.shared.cut.cancel();
        while self.events.workers.join_next().await.is_some() {}
        if let Err(error) = self.server.shutdown(Duration::ZERO).await {
            tracing::debug!(%error, "a service that could not start did not leave its address well");
        }
    }
}

fn listen(config: &Config) -> ListenOptions {
    let options = ListenOptions::default().with_backlog(config.backlog);
    match config.address.clone() {
        Some(address) => options.with_address(address),
        None => options,
    }
}

/// What is wrong with a registry that tells others where nobody but this process can call.
fn unreachable(transport: &str, registry: &str) -> Option<String> {
    (transport == memory::NAME && registry != memory::NAME).then(|| {
        format!(
            "the registry {registry:?} tells others of this service, and none of them can call it: its transport is \
             {transport:?}, within this process; choose another by --transport"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_for_others_and_a_transport_for_nobody_are_warned_of() {
        let warning = unreachable("memory", "nats").unwrap();
        assert!(warning.contains("--transport"), "{warning}");
        for (transport, registry) in [("memory", "memory"), ("nats", "nats"), ("nats", "memory")] {
            assert_eq!(unreachable(transport, registry), None);
        }
    }
}
