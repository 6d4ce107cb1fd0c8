//! The sockets that come in on a listener.

use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::error::{Error, ErrorKind, Result};
use crate::rpc::{Request, Response, Status};
use crate::server::{Shared, connection};
use crate::transport::{Listener, Socket};

/// What keeps sockets from coming in, if anything does.
pub(super) type Trouble = Option<Arc<str>>;

/// Says what keeps sockets from coming in, and the end of accepting, however it comes.
struct Notice {
    trouble: watch::Sender<Trouble>,
    stop: CancellationToken,
}

impl Notice {
    fn accepted(&self) {
        self.trouble.send_if_modified(|trouble| trouble.take().is_some());
    }

    /// A socket could not be accepted. Others still can, unless the address itself is denied.
    fn failed(&self, error: &Error) {
        tracing::warn!(%error, "a socket could not be accepted");
        if error.kind() == ErrorKind::PermissionDenied {
            self.say(format!("no calls come in: {error}"));
        }
    }

    fn say(&self, trouble: impl Into<Arc<str>>) {
        self.trouble.send_replace(Some(trouble.into()));
    }
}

impl Drop for Notice {
    fn drop(&mut self) {
        if !self.stop.is_cancelled() {
            tracing::error!("a server accepts no more: its listener has ended");
            self.say("no more calls come in: the listener has ended");
        }
    }
}

/// Accepts until told to stop, and then leaves the address.
pub(super) async fn accept<S>(
    mut listener: Listener,
    service: S,
    shared: Arc<Shared>,
    stop: CancellationToken,
    trouble: watch::Sender<Trouble>,
) -> Result<()>
where
    S: Service<Request, Response = Response, Error = Status> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    let notice = Notice {
        trouble,
        stop: stop.clone(),
    };
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok(socket) => {
                notice.accepted();
                serve(socket, &service, &shared);
            }
            Err(error) if error.kind() == ErrorKind::Closed => return Err(error),
            Err(error) => notice.failed(&error),
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
    // So that it is not copied on its way into the task.
    shared.connections.spawn(Box::pin(connection));
}
