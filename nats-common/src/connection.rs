//! One NATS connection, with its inbox.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use micro_core::{PluginConfig, Result};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use crate::config::Servers;
use crate::connect::{self, Events};
use crate::courier::{Courier, Source};
use crate::errors;
use crate::inbox::Router;
use crate::outbox::{Outbox, Outgoing};
use crate::polling::{Poller, Traffic};
use crate::pump::Pump;
use crate::switchboard::Switchboard;

/// One NATS connection, with one wildcard subscription for all replies.
///
/// A connection that exists works: it was connected, and it connects again by itself, without a limit, to any
/// server of its list. What is lost when that happens is told to everybody who may be concerned.
///
/// When the last handle is dropped, what was published is still written, and then the connection is closed.
pub struct Connection {
    board: Arc<Switchboard>,
    outbox: Arc<Outbox>,
    servers: String,
    _poller: Option<AbortOnDropHandle<()>>,
    /// The wildcard subscription.
    _inbox: Pump,
}

impl Connection {
    /// Joins the process's connection to these servers, or opens it.
    ///
    /// Those who ask at the same time share one attempt. Connections are told apart by their servers,
    /// credentials and busy polling, and by the runtime they run on; the client name is the first one's.
    ///
    /// # Errors
    /// As [`open`](Connection::open).
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind, and does not disturb others who wait for the same connection.
    pub async fn shared(config: &PluginConfig) -> Result<Arc<Connection>> {
        crate::shared::join(config).await
    }

    /// Opens a connection of one's own.
    ///
    /// The servers are tried in order, each for [`CONNECT_LIMIT`](crate::CONNECT_LIMIT); the first that answers
    /// is used.
    ///
    /// # Errors
    /// One error that lists each address with its reason:
    /// [`PermissionDenied`](micro_core::ErrorKind::PermissionDenied) when a server refuses the credentials,
    /// [`InvalidArgument`](micro_core::ErrorKind::InvalidArgument) when an address does not parse (and no other
    /// works), or busy polling is asked for and cannot be done; [`Unavailable`](micro_core::ErrorKind::Unavailable) when none answers.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn open(config: &PluginConfig) -> Result<Arc<Connection>> {
        let servers = Servers::parse(config);
        Self::to_servers(&servers, config.client_name.as_deref()).await
    }

    pub(crate) async fn to_servers(servers: &Servers, name: Option<&str>) -> Result<Arc<Connection>> {
        let events = Events::default();
        let pass_on = events.clone();
        let client = connect::first(servers, name, move |event| pass_on.pass_on(event)).await?;
        let board = Arc::new(Switchboard::new(format!("{}.", client.new_inbox())));
        events.connect(&board);
        let traffic = Arc::new(Traffic::new(servers.busy_poll.is_some()));
        let poller = servers.busy_poll.map(|longest| Poller::start(&traffic, longest));
        let (outbox, courier) = Courier::new(client, board.clone(), traffic);
        // It ends by itself, shortly after the last handle of the connection.
        tokio::spawn(courier.run());
        let outbox = Arc::new(outbox);
        let router = Arc::new(Router {
            board: board.clone(),
            outbox: outbox.clone(),
        });
        let inbox = Pump::open(outbox.clone(), &format!("{}*", board.prefix), None, router).await?;
        Ok(Arc::new(Connection {
            board,
            outbox,
            servers: servers.names(),
            _poller: poller,
            _inbox: inbox,
        }))
    }

    /// Publishes one message.
    ///
    /// # Errors
    /// [`ResourceExhausted`](micro_core::ErrorKind::ResourceExhausted) when it is above the server's limit, and
    /// [`InvalidArgument`](micro_core::ErrorKind::InvalidArgument) for an illegal subject: nothing was sent.
    /// [`Unavailable`](micro_core::ErrorKind::Unavailable) when the connection is down or stalled for
    /// [`PUBLISH_LIMIT`](crate::PUBLISH_LIMIT): nothing was sent.
    ///
    /// # Cancel safety
    /// The message is published whole or not at all.
    pub async fn publish(&self, outgoing: Outgoing) -> Result<()> {
        self.outbox.publish(outgoing).await
    }

    /// Publishes one message at once, or answers `None`: there is no room now, or no connection.
    ///
    /// # Errors
    /// As [`publish`](Connection::publish), for what waiting would not cure.
    pub fn try_publish(&self, outgoing: &Outgoing) -> Option<Result<()>> {
        match self.outbox.check_size(outgoing.payload.len()) {
            Ok(()) => self.outbox.offer(outgoing),
            Err(error) => Some(Err(error)),
        }
    }

    /// Publishes one message at once, or answers that nothing was sent: for those who can make it again, since it is gone.
    /// To keep it as well, as [`try_publish`](Connection::try_publish) does, costs more than to make a small one.
    pub fn hand_over(&self, outgoing: Outgoing) -> bool {
        self.outbox.hand_over(outgoing)
    }

    /// Publishes without waiting, for a drop: it needs no runtime. What cannot be sent now is sent when it can.
    ///
    /// Everything that was published before, through the same connection and by whatever method, is ahead of it.
    pub fn publish_now(&self, outgoing: Outgoing) {
        self.outbox.publish_now(outgoing);
    }

    /// Publishes what a source has, one message after the other, as soon as there is a connection with room for it.
    ///
    /// For those that keep an order of their own: what waits can be taken back until it is asked for. The source is
    /// held until it has nothing more; it may be given again then.
    pub fn publish_from(&self, source: Arc<dyn Source>) {
        self.outbox.drain(source);
    }

    /// Waits until everything that was published has been handed to the operating system.
    ///
    /// # Errors
    /// [`Unavailable`](micro_core::ErrorKind::Unavailable) when the connection is down or stalled for
    /// [`PUBLISH_LIMIT`](crate::PUBLISH_LIMIT).
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn flush(&self) -> Result<()> {
        match tokio::time::timeout(crate::PUBLISH_LIMIT, self.outbox.client.flush()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(errors::ended()),
            Err(_) => Err(self.outbox.not_connected()),
        }
    }

    /// The servers that it was given, without credentials: a comma-separated list for humans.
    pub fn servers(&self) -> &str {
        &self.servers
    }

    /// A subject that nobody has had, under which peers expect addresses that do not last: `_INBOX.<22 characters>`.
    pub fn unique_subject(&self) -> String {
        self.outbox.client.new_inbox()
    }

    /// The largest payload that the server takes now, in bytes.
    pub fn max_payload(&self) -> usize {
        self.outbox.client.max_payload()
    }

    /// Checks a payload against the server's limit.
    ///
    /// # Errors
    /// [`ResourceExhausted`](micro_core::ErrorKind::ResourceExhausted) that names size and limit.
    pub fn check_size(&self, payload: &Bytes) -> Result<()> {
        self.outbox.check_size(payload.len())
    }

    /// Whether the connection stands at this moment.
    pub fn is_connected(&self) -> bool {
        self.outbox.is_connected()
    }

    /// A counter that moves at every loss of the connection.
    pub fn disconnects(&self) -> watch::Receiver<u64> {
        self.board.disconnects()
    }

    /// How many messages came for reply subjects that were given up before.
    pub fn strays(&self) -> u64 {
        self.board.strays()
    }

    /// How often it has looked for traffic instead of letting its thread sleep: see
    /// [`PluginConfig::busy_poll`](micro_core::PluginConfig::busy_poll). It stands still where that is not set, and while
    /// nothing is sent and nothing comes.
    pub fn busy_polls(&self) -> u64 {
        self.outbox.traffic.polls()
    }

    pub(crate) fn board(&self) -> &Arc<Switchboard> {
        &self.board
    }

    pub(crate) fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("servers", &self.servers)
            .field("inbox", &self.board.prefix)
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}
