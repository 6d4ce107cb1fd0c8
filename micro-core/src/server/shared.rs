//! What all connections of one server share, and the places for requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::rpc::frame::Dialect;
use crate::rpc::{Context, Status};
use crate::server::ServerOptions;
use crate::server::latecomers::Latecomers;

/// What all connections of one server share.
pub(super) struct Shared {
    pub(super) options: ServerOptions,
    pub(super) running: AtomicUsize,
    pub(super) draining: AtomicBool,
    pub(super) latecomers: Latecomers,
    /// Ends every handler.
    pub(super) handlers: Context,
    /// Every handler that runs, so that a shutdown can wait for them.
    pub(super) calls: TaskTracker,
    /// Every connection.
    pub(super) connections: TaskTracker,
    /// Says to connections that no answer will come any more: flush, and close.
    pub(super) finish: CancellationToken,
}

impl Shared {
    pub(super) fn new(options: ServerOptions) -> Self {
        Shared {
            options,
            running: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            latecomers: Latecomers::new(),
            handlers: Context::new(),
            calls: TaskTracker::new(),
            connections: TaskTracker::new(),
            finish: CancellationToken::new(),
        }
    }

    /// Takes a place for one request, or says why there is none.
    pub(super) fn admit(self: &Arc<Self>, caller: Dialect) -> Result<Admitted, Status> {
        let serves = self.latecomers.serves(caller);
        if self.draining.load(Ordering::Acquire) && !serves {
            return Err(Status::unavailable("the service is stopping").never_delivered());
        }
        if self.running.fetch_add(1, Ordering::AcqRel) >= self.options.max_concurrent_requests {
            self.running.fetch_sub(1, Ordering::AcqRel);
            let limit = self.options.max_concurrent_requests;
            let message = format!("{limit} requests are running, and that is the limit");
            return Err(Status::resource_exhausted(message).never_delivered());
        }
        Ok(Admitted(self.clone()))
    }
}

/// One request's place; dropping it gives the place back.
pub(super) struct Admitted(pub(super) Arc<Shared>);

impl Drop for Admitted {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}
