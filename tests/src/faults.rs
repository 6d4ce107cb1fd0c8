//! What a world can make go wrong.

use std::sync::Arc;

use async_trait::async_trait;
use micro_core::{Address, Transport};

/// What a world of transports can make go wrong, for clauses that ask what becomes of sockets then.
#[async_trait]
pub trait Faults: Send + Sync {
    /// An instance of which messages can be lost on their way out: the one that it sends next after the function was
    /// called.
    async fn open_lossy(&self) -> (Arc<dyn Transport>, Loss);

    /// Starts a process that listens. It answers the first message of each socket with one, and then keeps the socket, and
    /// neither sends nor reads.
    async fn start_peer(&self) -> Box<dyn Peer>;

    /// Kills what the instances stand on, and starts it again.
    async fn restart(&self);
}

/// Loses the message that is sent next.
pub type Loss = Box<dyn Fn() + Send + Sync>;

/// A process that listens.
#[async_trait]
pub trait Peer: Send {
    /// Where it listens.
    fn address(&self) -> &Address;

    /// Ends it as a power cut does: it says nothing any more. Returns when it is gone.
    async fn kill(&mut self);
}
