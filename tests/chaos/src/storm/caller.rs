//! What the callers share, and what they leave behind.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use broker_nats::NatsBroker;
use futures::future::join_all;
use micro::{Client, ClientOptions, PluginConfig, Registry as _};
use nats_common::Connection;
use registry_nats::{NatsRegistry, RegistryOptions};
use tokio::time::sleep;
use transport_nats::NatsTransport;

use crate::interface::{NAME, Task, WorkClient};

/// After how long the client gives up a socket that it does not use.
const IDLE: Duration = Duration::from_secs(2);

/// How long what was left may take to go. A peer that vanished is given up after 15 s.
const GONE: Duration = Duration::from_secs(30);

/// How long an instance may take to answer. Those that are gone do not.
const PROBE: Duration = Duration::from_secs(1);

/// The backends of the caller, as `Backends` opens them, with the transport at hand.
#[derive(Clone)]
pub(super) struct Stack {
    pub(super) client: Client,
    pub(super) broker: NatsBroker,
    transport: Arc<NatsTransport>,
    registry: Arc<NatsRegistry>,
}

impl Stack {
    pub(super) async fn open(servers: &str) -> Result<Self> {
        let config = PluginConfig::default()
            .with_addresses(servers)
            .with_client_name("chaos-caller");
        let transport = Arc::new(NatsTransport::connect(&config).await?);
        let connection = Connection::shared(&config).await?;
        let registry = Arc::new(NatsRegistry::new(connection.clone(), RegistryOptions::default()));
        let client = Client::builder()
            .transport(transport.clone())
            .registry(Arc::new(NatsRegistry::new(
                connection.clone(),
                RegistryOptions::default(),
            )))
            .options(ClientOptions::default().with_idle_timeout(IDLE))
            .build()?;
        Ok(Stack {
            client,
            broker: NatsBroker::new(connection),
            transport,
            registry,
        })
    }

    /// Waits until so many instances are found, and answer.
    pub(super) async fn answered_by(&self, instances: usize, limit: Duration) -> Result<()> {
        let begun = Instant::now();
        loop {
            let answered = self.answering().await;
            if answered >= instances {
                return Ok(());
            }
            ensure!(
                begun.elapsed() < limit,
                "{answered} of {instances} instances answer, {limit:?} after the last fault"
            );
        }
    }

    /// How many of the instances that are known answer.
    async fn answering(&self) -> usize {
        let records = self.registry.get(NAME).await.unwrap_or_default();
        let nodes = records.into_iter().flat_map(|record| record.nodes);
        let client = WorkClient::new(&self.client);
        let calls = nodes.map(async |node| {
            client
                .once(Task::new(0))
                .node(node.id)
                .timeout(PROBE)
                .await
                .is_ok()
        });
        join_all(calls)
            .await
            .into_iter()
            .filter(|answered| *answered)
            .count()
    }

    /// How many calls and sockets are left, once they had the time to go.
    pub(super) async fn entries_left(&self) -> usize {
        let begun = Instant::now();
        loop {
            let left = self.client.in_flight() + self.transport.sockets();
            if left == 0 || begun.elapsed() > GONE {
                return left;
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
}
