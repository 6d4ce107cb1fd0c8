//! Who listens where, in one world.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::socket::{End, pair};
use crate::address::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::name;
use crate::transport::Socket;

/// One world: who listens where.
#[derive(Debug, Default)]
pub(super) struct Hub {
    doors: Mutex<HashMap<Address, Door>>,
    dialled: AtomicU64,
}

/// Where dialled sockets are handed to a listener.
#[derive(Clone, Debug)]
pub(super) struct Door {
    pub(super) sockets: mpsc::Sender<Socket>,
    pub(super) max_message_size: Option<usize>,
}

impl Hub {
    /// Takes an address, if it is free.
    pub(super) fn open(self: &Arc<Self>, address: &Address, door: Door) -> Result<Lease> {
        name::check_topic(address.as_str())?;
        let mut doors = self.doors.lock();
        if doors.contains_key(address) {
            return Err(Error::new(ErrorKind::AlreadyExists, "the address is taken"));
        }
        doors.insert(address.clone(), door);
        Ok(Lease {
            hub: self.clone(),
            address: address.clone(),
        })
    }

    /// Hands one end of a new socket to whoever listens, and returns the other.
    pub(super) fn dial(&self, address: &Address, max_message_size: Option<usize>) -> Result<Socket> {
        let Some(door) = self.doors.lock().get(address).cloned() else {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "nobody listens; transport memory sees only its own process, --transport=nats reaches others",
            ));
        };
        let number = self.dialled.fetch_add(1, Ordering::Relaxed);
        let near = End {
            address: Address::new(format!("memory.dial.{number}"))?,
            limit: max_message_size,
        };
        let far = End {
            address: address.clone(),
            limit: door.max_message_size,
        };
        let (near, far) = pair(near, far);
        match door.sockets.try_send(far) {
            Ok(()) => Ok(near),
            Err(TrySendError::Closed(_)) => Err(Error::new(ErrorKind::Unavailable, "nobody listens")),
            Err(TrySendError::Full(_)) => Err(Error::new(
                ErrorKind::Unavailable,
                "too many sockets wait to be accepted",
            )),
        }
    }
}

/// The right to an address.
#[derive(Debug)]
pub(super) struct Lease {
    hub: Arc<Hub>,
    address: Address,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.hub.doors.lock().remove(&self.address);
    }
}
