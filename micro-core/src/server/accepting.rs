//! The sockets that come in on a listener.

use std::sync::Arc;

use futures::FutureExt;
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::error::{ErrorKind, Result};
use crate::rpc::{Request, Response, Status};
use crate::server::{Shared, connection};
use crate::transport::{Listener, Socket};

/// Accepts until told to stop, and then leaves the address.
pub(super) async fn accept<S>(
    mut listener: Listener,
    service: S,
    shared: Arc<Shared>,
    stop: CancellationToken,
) -> Result<()>
where
    S: Service<Request, Response = Response, Error = Status> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(socket) => serve(socket, &service, &shared),
            Err(error) if error.kind() == ErrorKind::Closed => return Err(error),
            Err(error) => tracing::warn!(%error, "a socket could not be accepted"),
        }
    }
    // Those that wait are refused by word: not every peer learns otherwise that its request was not taken.
    while let Some(Ok(socket)) = listener.accept().now_or_never() {
        serve(socket, &service, &shared);
    }
    listener.close().await
}

fn serve<S>(socket: Socket, service: &S, shared: &Arc<Shared>)
where
    S: Service<Request, Response = Response, Error = Status> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    let connection = connection::run(socket, service.clone(), shared.clone());
    shared.connections.spawn(connection);
}
