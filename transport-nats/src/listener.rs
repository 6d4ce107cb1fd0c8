//! An address that is listened on: one subscription, whose messages are sorted by their reply subject.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Stream;
use micro_core::{Address, Error, ErrorKind, Listener, Result, Socket};
use nats_common::{Outgoing, Pump};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::peer;

mod desk;
mod table;
mod vacancy;

use desk::Desk;
pub(crate) use desk::Terms;
pub(crate) use table::Row;

/// Listens at an address that was given, if nobody else does.
pub(crate) async fn listen_at(terms: Terms, address: Address, backlog: usize) -> Result<Listener> {
    vacancy::check(&terms.connection, &address).await?;
    listen(terms, address, backlog).await
}

/// Listens; when it returns, the server knows.
pub(crate) async fn listen(terms: Terms, address: Address, backlog: usize) -> Result<Listener> {
    let (sender, accepted) = mpsc::channel(backlog.max(1));
    let metadata = peer::metadata(terms.encoding);
    let desk = Arc::new(Desk::new(terms, address.clone(), sender));
    let pump = desk.connection.pump(address.as_str(), None, desk.clone()).await?;
    let lease = Arc::new(Lease {
        pump: Mutex::new(Some(pump)),
        desk,
    });
    let incoming = Accepted {
        sockets: accepted,
        lease: lease.clone(),
    };
    let leave = async move { lease.leave().await };
    Ok(Listener::new(address, metadata, incoming, leave))
}

/// The right to an address. It is given back once: when the listener leaves, or is dropped.
struct Lease {
    pump: Mutex<Option<Pump>>,
    desk: Arc<Desk>,
}

impl Lease {
    /// What was sent to the address is in the sockets, and then nothing more comes.
    async fn leave(&self) -> Result<()> {
        let Some(mut pump) = self.announce() else {
            return Ok(());
        };
        let filler = Outgoing::new(self.desk.address.as_str(), Bytes::new());
        let left = pump.leave(Some(filler)).await;
        self.desk.deafen();
        left.map_err(|error| {
            error
                .with_operation("close")
                .with_context("address", &self.desk.address)
        })
    }

    fn release(&self) {
        if let Some(pump) = self.announce() {
            drop(pump);
            self.desk.deafen();
        }
    }

    /// Peers of ours learn it before the server does, so that they know it from a listener that died.
    fn announce(&self) -> Option<Pump> {
        let pump = self.pump.lock().take()?;
        self.desk.announce();
        Some(pump)
    }
}

/// The sockets that were opened. Dropping it frees the address, and closes those that nobody accepted.
struct Accepted {
    sockets: mpsc::Receiver<Result<Socket>>,
    lease: Arc<Lease>,
}

impl Stream for Accepted {
    type Item = Result<Socket>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.sockets.poll_recv(context)
    }
}

impl Drop for Accepted {
    fn drop(&mut self) {
        self.lease.release();
    }
}

/// Whether a text can be an address here: a subject without wildcards.
pub(crate) fn check(address: &Address) -> Result<()> {
    micro_core::name::check_topic(address.as_str()).map_err(|error| {
        Error::new(
            ErrorKind::InvalidArgument,
            "an address on NATS is a subject without wildcards",
        )
        .with_context("address", address)
        .with_source(error)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use std::time::Duration;

    use micro_conformance::nats_server::NatsServer;
    use micro_core::{DialOptions, Message, PluginConfig, Transport};
    use nats_common::{Connection, Consumer, Incoming};

    use super::*;
    use crate::config::Encoding;
    use crate::keeper::{Keeper, Limits};
    use crate::transport::NatsTransport;

    /// Less than a vanished peer takes to be noticed.
    const SOON: Duration = Duration::from_secs(10);

    /// A desk at an address, and what it accepts.
    async fn desk(
        connection: Arc<Connection>,
        address: Address,
        encoding: Encoding,
    ) -> (Arc<Desk>, Pump, mpsc::Receiver<Result<Socket>>) {
        let (sender, accepted) = mpsc::channel(4);
        let limits = Limits {
            idle: Duration::from_secs(600),
            keepalive: Duration::from_secs(15),
            sockets: 4,
            max_message: 1024,
        };
        let counters = Arc::default();
        let terms = Terms {
            keeper: Arc::new(Keeper::start(&connection, &counters, limits)),
            connection: connection.clone(),
            counters,
            encoding,
            limits,
        };
        let desk = Arc::new(Desk::new(terms, address.clone(), sender));
        let pump = connection.pump(address.as_str(), None, desk.clone()).await;
        (desk, pump.unwrap(), accepted)
    }

    #[tokio::test]
    async fn a_loss_on_the_way_in_is_told_to_whoever_sends() {
        for encoding in [Encoding::GoMicro, Encoding::Native] {
            told_of_a_loss(encoding).await;
        }
    }

    async fn told_of_a_loss(encoding: Encoding) {
        let server = NatsServer::start().await;
        let config = PluginConfig::default().with_addresses(&server.url());
        let open = || Connection::open(&config);
        let address: Address = "here".parse().unwrap();
        let (desk, _pump, mut accepted) = desk(open().await.unwrap(), address.clone(), encoding).await;
        let transport = NatsTransport::new(open().await.unwrap()).with_encoding(encoding);
        let peer = DialOptions::default().with_peer(peer::metadata(encoding));
        let mut near = transport.dial(&address, peer).await.unwrap();
        near.send(Message::new("hello")).await.unwrap();
        let mut far = accepted.recv().await.unwrap().unwrap();
        assert_eq!(far.recv().await.unwrap().unwrap().body, "hello");
        desk.take(Incoming::Lost(3));
        assert_eq!(far.recv().await.unwrap().unwrap_err().lost(), Some(3));
        // Still held: what is told here does not come from its drop.
        let told = tokio::time::timeout(SOON, near.recv()).await.expect("a word");
        assert_eq!(told.unwrap().unwrap_err().kind(), ErrorKind::Unavailable);
        near.send(Message::new("more")).await.unwrap_err();
        drop(far);
    }
}
