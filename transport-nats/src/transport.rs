//! Dial and listen.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use micro_core::transport::TransportCapabilities;
use micro_core::{Address, DialOptions, ListenOptions, Listener, PluginConfig, Result, Socket, Transport};
use nats_common::{Connection, Subject};

use crate::NAME;
use crate::encoding::Encoding;
use crate::ignored::{Counters, Ignored};
use crate::keeper::Keeper;
use crate::listener::{self, Terms};
use crate::peer::Peer;
use crate::socket::Hold;

/// A [`Transport`] on NATS: sockets made of unique reply subjects.
pub struct NatsTransport {
    connection: Arc<Connection>,
    keeper: OnceLock<Arc<Keeper>>,
    counters: Arc<Counters>,
    idle_limit: Duration,
    max_sockets: usize,
}

impl NatsTransport {
    /// A transport on a connection, which it may share with others.
    pub fn new(connection: Arc<Connection>) -> Self {
        NatsTransport {
            connection,
            keeper: OnceLock::new(),
            counters: Arc::default(),
            idle_limit: Duration::from_secs(600),
            max_sockets: 100_000,
        }
    }

    /// A transport on the process's connection to these servers.
    ///
    /// # Errors
    /// As [`Connection::shared`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn connect(config: &PluginConfig) -> Result<Self> {
        Ok(NatsTransport::new(Connection::shared(config).await?))
    }

    /// How long an accepted socket of a peer that is not ours may neither send nor receive before its `recv` ends.
    /// Such peers never say goodbye. Default: 10 minutes; at least a second.
    #[must_use]
    pub fn with_idle_limit(mut self, limit: Duration) -> Self {
        self.idle_limit = limit;
        self
    }

    /// How many sockets a listener keeps; more are refused and counted. Default: 100,000.
    #[must_use]
    pub fn with_max_sockets(mut self, sockets: usize) -> Self {
        self.max_sockets = sockets;
        self
    }

    /// What came to listeners and was ignored, by cause.
    pub fn ignored(&self) -> Ignored {
        self.counters.read()
    }

    fn keeper(&self) -> Arc<Keeper> {
        self.keeper
            .get_or_init(|| Arc::new(Keeper::start(self.idle_limit)))
            .clone()
    }
}

#[async_trait]
impl Transport for NatsTransport {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> TransportCapabilities {
        let limit = Encoding::GoMicro.max_message_size(self.connection.max_payload());
        TransportCapabilities::default().with_max_message_size(limit)
    }

    async fn listen(&self, options: ListenOptions) -> Result<Listener> {
        let address = match options.address {
            Some(address) => address,
            None => Address::new(self.connection.unique_subject())?,
        };
        listener::check(&address).map_err(|error| error.with_operation("listen"))?;
        let terms = Terms {
            connection: self.connection.clone(),
            keeper: self.keeper(),
            counters: self.counters.clone(),
            max_sockets: self.max_sockets,
        };
        listener::listen(terms, address)
            .await
            .map_err(|error| error.with_operation("listen"))
    }

    /// Sends nothing: whether anybody is there, the first message tells.
    async fn dial(&self, address: &Address, options: DialOptions) -> Result<Socket> {
        listener::check(address).map_err(|error| error.with_operation("dial"))?;
        let peer = Peer::of(&options.peer);
        let remote = Subject::from(address.as_str());
        let hold = Hold::dial(&self.connection, &self.keeper(), peer, remote);
        let local = hold.local()?;
        Ok(hold.into_socket(local, address.clone()))
    }
}

impl fmt::Debug for NatsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsTransport")
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}
