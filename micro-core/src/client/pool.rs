//! One shared socket for each address.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::OnceCell;

use crate::address::Address;
use crate::client::connection::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::message::Metadata;
use crate::rpc::frame::Dialect;
use crate::transport::{DialOptions, Socket, Transport};

/// Sockets by address, dialled when first needed, and again when they have ended.
pub(crate) struct Pool {
    transport: Arc<dyn Transport>,
    limits: PoolLimits,
    /// Sorted: where nodes are few, as they mostly are, that is found sooner than by a hash that strangers cannot foresee.
    slots: Mutex<BTreeMap<Address, Slot>>,
}

/// The limits of a pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PoolLimits {
    pub(crate) dial_timeout: Duration,
    pub(crate) max_in_flight: usize,
    pub(crate) idle: Duration,
}

type Slot = Arc<OnceCell<Arc<Connection>>>;

impl Pool {
    pub(crate) fn new(transport: Arc<dyn Transport>, limits: PoolLimits) -> Self {
        Pool {
            transport,
            limits,
            slots: Mutex::default(),
        }
    }

    /// The socket that unary calls to this node share, if there is one.
    pub(crate) fn open(&self, address: &Address) -> Option<Arc<Connection>> {
        let slots = self.slots.lock();
        let connection = slots.get(address)?.get()?;
        (!connection.is_closed()).then(|| connection.clone())
    }

    /// How many unary calls wait.
    pub(crate) fn in_flight(&self) -> usize {
        let slots = self.slots.lock();
        let connections = slots.values().filter_map(|slot| slot.get());
        connections.map(|connection| connection.in_flight()).sum()
    }

    /// The socket that unary calls to this node share.
    pub(crate) async fn get(&self, address: &Address, peer: &Metadata) -> Result<Arc<Connection>> {
        let slot = self.slot(address);
        slot.get_or_try_init(|| self.connect(address, peer))
            .await
            .cloned()
    }

    /// A socket of one's own, for a stream.
    pub(crate) async fn dial(&self, address: &Address, peer: &Metadata) -> Result<Socket> {
        let options = DialOptions::default()
            .with_timeout(self.limits.dial_timeout)
            .with_peer(peer.clone());
        let limit = self.limits.dial_timeout;
        tokio::time::timeout(limit, self.transport.dial(address, options))
            .await
            .unwrap_or_else(|_| {
                let message = format!("nobody answered the dial within {limit:?}");
                Err(Error::new(ErrorKind::Unavailable, message).with_context("address", address))
            })
    }

    async fn connect(&self, address: &Address, peer: &Metadata) -> Result<Arc<Connection>> {
        let socket = self.dial(address, peer).await?;
        let PoolLimits {
            max_in_flight, idle, ..
        } = self.limits;
        Ok(Arc::new(Connection::new(
            socket,
            Dialect::of(peer),
            max_in_flight,
            idle,
        )))
    }

    /// The slot of the address. Those whose socket has ended make room.
    fn slot(&self, address: &Address) -> Slot {
        let mut slots = self.slots.lock();
        match slots.get(address) {
            Some(slot) if !has_ended(slot) => slot.clone(),
            _ => {
                slots.retain(|_, slot| {
                    !has_ended(slot) && (slot.initialized() || Arc::strong_count(slot) > 1)
                });
                slots.entry(address.clone()).or_default().clone()
            }
        }
    }
}

fn has_ended(slot: &Slot) -> bool {
    slot.get().is_some_and(|connection| connection.is_closed())
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("transport", &self.transport.name())
            .finish_non_exhaustive()
    }
}
