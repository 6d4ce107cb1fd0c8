//! Sockets made of channels.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures::Stream;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{NAME, Worlds};
use crate::address::Address;
use crate::error::Result;
use crate::message::Metadata;
use crate::transport::{DialOptions, ListenOptions, Listener, Socket, Transport, TransportCapabilities};

mod hub;
mod pipe;
mod socket;

use hub::{Door, Hub, Lease};

static WORLDS: Worlds<Hub> = Worlds::new();

/// A [`Transport`] inside one process.
///
/// Clones, and instances of one name, dial each other.
#[derive(Clone, Debug)]
pub struct MemoryTransport {
    hub: Arc<Hub>,
    max_message_size: Option<usize>,
}

impl MemoryTransport {
    /// A transport in a world of its own, which only its clones share.
    pub fn new() -> Self {
        MemoryTransport::within(Arc::default())
    }

    /// A transport in the world of that name.
    pub fn named(world: &str) -> Self {
        MemoryTransport::within(WORLDS.open(world))
    }

    fn within(hub: Arc<Hub>) -> Self {
        MemoryTransport {
            hub,
            max_message_size: None,
        }
    }

    /// Refuses to send messages of more than this many bytes of [`Message::size`](crate::Message::size), on the
    /// sockets dialled and accepted from now on. Default: no limit.
    #[must_use]
    pub fn with_max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = Some(bytes);
        self
    }
}

impl Default for MemoryTransport {
    fn default() -> Self {
        MemoryTransport::new()
    }
}

#[async_trait]
impl Transport for MemoryTransport {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> TransportCapabilities {
        TransportCapabilities {
            flow_control: true,
            close_notice: true,
            loss_notice: true,
            exclusive_addresses: true,
            max_message_size: self.max_message_size,
        }
    }

    async fn listen(&self, options: ListenOptions) -> Result<Listener> {
        let address = match options.address {
            Some(address) => address,
            None => Address::new(format!("memory.{}", Uuid::new_v4().simple()))?,
        };
        let (sockets, accepted) = mpsc::channel(options.backlog.max(1));
        let door = Door {
            sockets,
            max_message_size: self.max_message_size,
        };
        let lease = self
            .hub
            .open(&address, door)
            .map_err(|error| error.with_operation("listen").with_context("address", &address))?;
        let incoming = Incoming {
            _lease: lease,
            sockets: accepted,
        };
        // What there is to do, dropping `incoming` does.
        let leave = async { Ok(()) };
        Ok(Listener::new(address, Metadata::new(), incoming, leave))
    }

    async fn dial(&self, address: &Address, _options: DialOptions) -> Result<Socket> {
        self.hub
            .dial(address, self.max_message_size)
            .map_err(|error| error.with_operation("dial").with_context("address", address))
    }
}

/// The dialled sockets. Dropping it frees the address, and then closes those that nobody accepted.
struct Incoming {
    _lease: Lease,
    sockets: mpsc::Receiver<Socket>,
}

impl Stream for Incoming {
    type Item = Result<Socket>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.sockets.poll_recv(cx).map(|socket| socket.map(Ok))
    }
}
