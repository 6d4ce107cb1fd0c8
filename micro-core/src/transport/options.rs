//! How to listen and how to dial.

use std::sync::Arc;
use std::time::Duration;

use crate::address::Address;
use crate::message::Metadata;

/// How to listen.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ListenOptions {
    /// The address to listen on; `None` lets the backend choose a unique one.
    pub address: Option<Address>,
    /// How many sockets wait to be accepted, at least 1. More are refused: the dial fails with
    /// [`Unavailable`](crate::ErrorKind::Unavailable), or else the first `recv`, which says where it can that nothing was
    /// read ([`undelivered`](crate::Error::undelivered)). A peer of which nothing is known may be told nothing.
    /// Default: 4096.
    pub backlog: usize,
}

impl Default for ListenOptions {
    fn default() -> Self {
        ListenOptions {
            address: None,
            backlog: 4096,
        }
    }
}

impl ListenOptions {
    /// Bounds the sockets that wait to be accepted.
    #[must_use]
    pub fn with_backlog(mut self, sockets: usize) -> Self {
        self.backlog = sockets.max(1);
        self
    }

    /// Listens on this address.
    #[must_use]
    pub fn with_address(mut self, address: Address) -> Self {
        self.address = Some(address);
        self
    }
}

/// How to dial. Cloning it copies nothing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DialOptions {
    /// How long a dial may take. Default: 5 s.
    pub timeout: Duration,
    /// What the registry knows of the peer, from which the backend chooses how to speak to it. Empty means: a peer
    /// of which nothing is known, to which only what every go-micro peer understands is said.
    pub peer: Arc<Metadata>,
}

impl Default for DialOptions {
    fn default() -> Self {
        DialOptions {
            timeout: Duration::from_secs(5),
            peer: Arc::default(),
        }
    }
}

impl DialOptions {
    /// Bounds the dial.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Tells what is known of the peer: its node's metadata.
    #[must_use]
    pub fn with_peer(mut self, peer: impl Into<Arc<Metadata>>) -> Self {
        self.peer = peer.into();
        self
    }
}
