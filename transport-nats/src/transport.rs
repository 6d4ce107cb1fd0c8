//! Dial and listen.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use micro_core::transport::TransportCapabilities;
use micro_core::{Address, DialOptions, ListenOptions, Listener, PluginConfig, Result, Socket, Transport};
use nats_common::{Connection, Subject};

use crate::NAME;
use crate::config::{Encoding, Said};
use crate::go_micro;
use crate::ignored::{Counters, Ignored};
use crate::keeper::{Keeper, Limits};
use crate::listener::{self, Terms};
use crate::native;
use crate::peer::Peer;
use crate::socket::Hold;

/// The largest message, unless another limit is set: a body of 64 MiB, and its headers.
const MAX_MESSAGE: usize = 65 << 20;

/// A [`Transport`] on NATS: sockets made of unique reply subjects.
pub struct NatsTransport {
    connection: Arc<Connection>,
    keeper: OnceLock<Arc<Keeper>>,
    counters: Arc<Counters>,
    encoding: Encoding,
    limits: Limits,
}

impl NatsTransport {
    /// A transport on a connection, which it may share with others.
    pub fn new(connection: Arc<Connection>) -> Self {
        NatsTransport {
            connection,
            keeper: OnceLock::new(),
            counters: Arc::default(),
            encoding: Encoding::default(),
            limits: Limits {
                idle: Duration::from_secs(600),
                keepalive: Duration::from_secs(15),
                sockets: 100_000,
                max_message: MAX_MESSAGE,
            },
        }
    }

    /// A transport on the process's connection to these servers.
    ///
    /// Behind a `?`, an address may say `encoding` (`native` or `go-micro`) and `max_message_size` (in bytes), as in
    /// `127.0.0.1:4222?encoding=go-micro`: see [`with_encoding`](Self::with_encoding) and
    /// [`with_max_message_size`](Self::with_max_message_size).
    ///
    /// # Errors
    /// As [`Connection::shared`], and [`InvalidArgument`](micro_core::ErrorKind::InvalidArgument) for an unknown
    /// parameter or value, which lists the known ones.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn connect(config: &PluginConfig) -> Result<Self> {
        let (said, config) = Said::from_config(config)?;
        let mut transport = NatsTransport::new(Connection::shared(&config).await?);
        if let Some(encoding) = said.encoding {
            transport = transport.with_encoding(encoding);
        }
        if let Some(bytes) = said.max_message_size {
            transport = transport.with_max_message_size(bytes);
        }
        Ok(transport)
    }

    /// How peers of our own kind are spoken to. Default: [`Encoding::Native`].
    #[must_use]
    pub fn with_encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// The largest message that is sent and taken in the native encoding, in bytes of
    /// [`Message::size`](micro_core::Message::size). It is put together in memory. Default: 65 MiB,
    /// which is a body of 64 MiB with its headers.
    #[must_use]
    pub fn with_max_message_size(mut self, bytes: usize) -> Self {
        self.limits.max_message = bytes;
        self
    }

    /// How soon a peer of ours that has vanished without a word ends every wait for it. It is asked from a third of this
    /// on. Default: 15 s; at least 3 s, counted in whole seconds.
    #[must_use]
    pub fn with_keepalive(mut self, limit: Duration) -> Self {
        self.limits.keepalive = limit;
        self
    }

    /// How long an accepted socket of a peer that is not ours may neither send nor receive before its `recv` ends.
    /// Such peers never say goodbye. Default: 10 minutes; at least a second.
    #[must_use]
    pub fn with_idle_limit(mut self, limit: Duration) -> Self {
        self.limits.idle = limit;
        self
    }

    /// How many sockets a listener keeps; more are refused and counted, as are those beyond the listener's
    /// [backlog](ListenOptions::backlog). Default: 100,000.
    #[must_use]
    pub fn with_max_sockets(mut self, sockets: usize) -> Self {
        self.limits.sockets = sockets;
        self
    }

    /// What came and was ignored or refused, by cause.
    pub fn ignored(&self) -> Ignored {
        self.counters.read()
    }

    /// How many sockets are open now, dialled or accepted. Those whose peer vanished count until they are given up, and
    /// those to plain peers that were dialled do not count.
    pub fn sockets(&self) -> usize {
        self.keeper.get().map_or(0, |keeper| keeper.sockets())
    }

    fn keeper(&self) -> Arc<Keeper> {
        let start = || Arc::new(Keeper::start(&self.connection, &self.counters, self.limits));
        self.keeper.get_or_init(start).clone()
    }
}

#[async_trait]
impl Transport for NatsTransport {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> TransportCapabilities {
        let capabilities = TransportCapabilities::default()
            .with_close_notice()
            .with_exclusive_addresses();
        match self.encoding {
            Encoding::Native => capabilities
                .with_flow_control()
                .with_loss_notice()
                .with_max_message_size(self.limits.max_message),
            Encoding::GoMicro => {
                let limit = go_micro::max_message_size(self.connection.max_payload());
                capabilities.with_max_message_size(limit)
            }
        }
    }

    async fn listen(&self, options: ListenOptions) -> Result<Listener> {
        let terms = Terms {
            connection: self.connection.clone(),
            keeper: self.keeper(),
            counters: self.counters.clone(),
            encoding: self.encoding,
            limits: self.limits,
        };
        let listening = async {
            let Some(address) = options.address else {
                let address = Address::new(self.connection.unique_subject())?;
                return listener::listen(terms, address, options.backlog).await;
            };
            listener::check(&address)?;
            listener::listen_at(terms, address, options.backlog).await
        };
        listening.await.map_err(|error| error.with_operation("listen"))
    }

    /// Sends nothing: whether anybody is there, the first message tells.
    async fn dial(&self, address: &Address, options: DialOptions) -> Result<Socket> {
        listener::check(address).map_err(|error| error.with_operation("dial"))?;
        let remote = Subject::from(address.as_str());
        match Peer::of(&options.peer, self.encoding) {
            Peer::Native => {
                let hold = native::Hold::dial(&self.keeper(), remote);
                let local = hold.local()?;
                Ok(hold.into_socket(local, address.clone()))
            }
            peer => {
                let hold = Hold::dial(&self.connection, &self.keeper(), peer, remote);
                let local = hold.local()?;
                Ok(hold.into_socket(local, address.clone()))
            }
        }
    }
}

impl fmt::Debug for NatsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsTransport")
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}
