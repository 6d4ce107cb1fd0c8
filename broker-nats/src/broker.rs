//! The broker: what a caller sees of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use micro_core::broker::{Broker, BrokerCapabilities, SubscribeOptions, Subscription};
use micro_core::name;
use micro_core::plugin::PluginConfig;
use micro_core::{Error, ErrorKind, Message, Result};
use nats_common::{Connection, Outgoing, Subject, Told};
use parking_lot::Mutex;

use crate::encoding::Encoding;
use crate::{NAME, inbound, subscription};

/// A [`Broker`] on NATS.
#[derive(Clone, Debug)]
pub struct NatsBroker {
    connection: Arc<Connection>,
    encoding: Encoding,
    /// Of the last event: most publishers stay with a topic, which is then neither checked nor copied again.
    last: Arc<Mutex<Option<Subject>>>,
    /// Whether there was no room for the last event that was not given away.
    crowded: Arc<AtomicBool>,
    /// Which refusals of the server a flush has told of.
    told: Arc<Told>,
}

impl NatsBroker {
    /// A broker on a connection that exists, which publishes in go-micro's encoding.
    pub fn new(connection: Arc<Connection>) -> Self {
        NatsBroker {
            told: Arc::new(connection.told()),
            connection,
            encoding: Encoding::default(),
            last: Arc::default(),
            crowded: Arc::default(),
        }
    }

    /// Publishes in this encoding. Default: go-micro's. Subscriptions read both.
    #[must_use]
    pub fn with_encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// A broker on the process's connection to these servers. Behind a `?`, an address may say `encoding`
    /// (`go-micro` or `native`), as in `127.0.0.1:4222?encoding=native`.
    ///
    /// # Errors
    /// As [`Connection::shared`], and as [`Encoding::from_config`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn connect(config: &PluginConfig) -> Result<Self> {
        let (encoding, config) = Encoding::from_config(config)?;
        let broker = NatsBroker::new(Connection::shared(&config).await?);
        Ok(broker.with_encoding(encoding))
    }

    fn max_message_size(&self) -> usize {
        self.encoding.max_message_size(self.connection.max_payload())
    }

    fn subject(&self, topic: &str) -> Result<Subject> {
        let mut last = self.last.lock();
        if let Some(subject) = last.as_ref().filter(|subject| subject.as_str() == topic) {
            return Ok(subject.clone());
        }
        name::check_topic(topic)?;
        Ok(last.insert(Subject::from(topic)).clone())
    }

    fn outgoing(&self, topic: &str, message: &Message) -> Result<Outgoing> {
        let subject = self.subject(topic)?;
        let limit = self.max_message_size();
        if message.size() > limit {
            return Err(Error::new(ErrorKind::ResourceExhausted, "the event is too large")
                .with_context("bytes", message.size())
                .with_context("limit", limit));
        }
        Ok(Outgoing::new(subject, self.encoding.encode(message)?))
    }

    /// Publishes an event at once, or answers it as it has to wait for room.
    ///
    /// Mostly there is room, and it is given away: to keep it as well costs an allocation. The first that finds none is made
    /// again, and those behind it are kept until there is room.
    fn offer(&self, topic: &str, message: &Message) -> Result<Option<Outgoing>> {
        let mut outgoing = self.outgoing(topic, message)?;
        if !self.crowded.load(Ordering::Relaxed) {
            if self.connection.hand_over(outgoing) {
                return Ok(None);
            }
            outgoing = self.outgoing(topic, message)?;
        }
        let published = self.connection.try_publish(&outgoing);
        self.crowded.store(published.is_none(), Ordering::Relaxed);
        match published {
            Some(published) => published.map(|()| None),
            None => Ok(Some(outgoing)),
        }
    }
}

#[async_trait]
impl Broker for NatsBroker {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> BrokerCapabilities {
        BrokerCapabilities::default()
            .with_max_message_size(self.max_message_size())
            .with_pause()
    }

    async fn publish(&self, topic: &str, message: Message) -> Result<()> {
        let sent = match self.offer(topic, &message) {
            Ok(None) => return Ok(()),
            Ok(Some(outgoing)) => Box::pin(self.connection.publish(outgoing)).await,
            Err(error) => Err(error),
        };
        // What was refused was not handed to the connection either.
        let told = |error: Error| error.with_operation("publish").with_context("topic", topic);
        sent.map_err(|error| told(error).with_undelivered(1))
    }

    async fn flush(&self) -> Result<()> {
        let settled = self.connection.settle(&self.told, inbound::is_topic).await;
        settled.map_err(|error| error.with_operation("flush"))
    }

    async fn subscribe(&self, topic: &str, options: SubscribeOptions) -> Result<Subscription> {
        let subscribed = async {
            name::check_pattern(topic)?;
            options.check()?;
            subscription::open(&self.connection, topic, &options).await
        };
        subscribed
            .await
            .map_err(|error| error.with_operation("subscribe").with_context("topic", topic))
    }
}
