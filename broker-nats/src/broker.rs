//! The broker: what a caller sees of it.

use std::sync::Arc;

use async_trait::async_trait;
use micro_core::broker::{Broker, BrokerCapabilities, SubscribeOptions, Subscription};
use micro_core::name;
use micro_core::plugin::PluginConfig;
use micro_core::{Error, ErrorKind, Message, Result};
use nats_common::{Connection, Outgoing, envelope};

use crate::{NAME, subscription};

/// What an envelope needs beside names, values and body: braces, and the quotes around some 160 headers.
const ENVELOPE_BYTES: usize = 1024;

/// A [`Broker`] on NATS.
#[derive(Clone, Debug)]
pub struct NatsBroker {
    connection: Arc<Connection>,
}

impl NatsBroker {
    /// A broker on a connection that exists.
    pub fn new(connection: Arc<Connection>) -> Self {
        NatsBroker { connection }
    }

    /// A broker on the process's connection to these servers.
    ///
    /// # Errors
    /// As [`Connection::shared`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn connect(config: &PluginConfig) -> Result<Self> {
        Ok(NatsBroker::new(Connection::shared(config).await?))
    }

    /// The largest event: base64 makes four bytes of three.
    fn max_message_size(&self) -> usize {
        self.connection.max_payload().saturating_sub(ENVELOPE_BYTES) / 4 * 3
    }

    async fn send(&self, topic: &str, message: &Message) -> Result<()> {
        name::check_topic(topic)?;
        let limit = self.max_message_size();
        if message.size() > limit {
            return Err(Error::new(ErrorKind::ResourceExhausted, "the event is too large")
                .with_context("bytes", message.size())
                .with_context("limit", limit));
        }
        let payload = envelope::encode(message)?;
        self.connection.publish(Outgoing::new(topic, payload)).await
    }
}

#[async_trait]
impl Broker for NatsBroker {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> BrokerCapabilities {
        BrokerCapabilities::default().with_max_message_size(self.max_message_size())
    }

    async fn publish(&self, topic: &str, message: Message) -> Result<()> {
        self.send(topic, &message)
            .await
            .map_err(|error| error.with_operation("publish").with_context("topic", topic))
    }

    async fn flush(&self) -> Result<()> {
        let fenced = self.connection.fence().await;
        fenced.map_err(|error| error.with_operation("flush"))
    }

    async fn subscribe(&self, topic: &str, options: SubscribeOptions) -> Result<Subscription> {
        let subscribed = async {
            name::check_pattern(topic)?;
            options.queue.as_deref().map_or(Ok(()), name::check_topic)?;
            subscription::open(&self.connection, topic, &options).await
        };
        subscribed
            .await
            .map_err(|error| error.with_operation("subscribe").with_context("topic", topic))
    }
}
