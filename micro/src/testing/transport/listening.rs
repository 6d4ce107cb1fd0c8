//! A listener that ends with its host.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use futures::stream;
use micro_core::{ErrorKind, Listener, Result, Socket};

use super::socket;
use crate::testing::life::Life;
use crate::testing::link::Side;
use crate::testing::release::Held;

/// A listener of this host. The one below is given up when the host is killed.
pub(super) fn listener(life: &Arc<Life>, below: Listener) -> Listener {
    let (address, metadata) = (below.address().clone(), below.metadata().clone());
    let below = Arc::new(Held::new(Some(below)));
    let held: std::sync::Weak<Held<Listener>> = Arc::downgrade(&below);
    life.hold(held);
    let left = below.clone();
    let leave = async move {
        let listener = left.lock().take();
        match listener {
            Some(listener) => listener.close().await,
            None => Ok(()),
        }
    };
    let accepting = Accepting {
        life: life.clone(),
        below,
    };
    let incoming = stream::unfold(accepting, async |accepting| {
        let accepted = accepting.next().await?;
        Some((accepted, accepting))
    });
    Listener::new(address, metadata, incoming, leave)
}

struct Accepting {
    life: Arc<Life>,
    below: Arc<Held<Listener>>,
}

impl Accepting {
    async fn next(&self) -> Option<Result<Socket>> {
        let accepted = tokio::select! {
            biased;
            () = self.life.over() => return None,
            accepted = accept(&self.below) => accepted?,
        };
        match accepted {
            Ok(socket) => Some(Ok(self.join(socket))),
            Err(error) if error.kind() == ErrorKind::Closed => None,
            Err(error) => Some(Err(error)),
        }
    }

    /// The dialler's end may join later.
    fn join(&self, socket: Socket) -> Socket {
        let link = self.life.network.link(socket.remote());
        self.life.join(&link, Side::Listener);
        socket::wrap(&self.life, link, Side::Listener, socket)
    }
}

/// The listener is shared with whoever closes it, so it is looked at only while it is polled: an accept that is dropped
/// loses nothing.
async fn accept(below: &Held<Listener>) -> Option<Result<Socket>> {
    poll_fn(|cx| match &mut *below.lock() {
        Some(listener) => pin!(listener.accept()).poll(cx).map(Some),
        None => std::task::Poll::Ready(None),
    })
    .await
}
