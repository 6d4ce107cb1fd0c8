//! A socket that all unary calls to one node share.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::client::calling::Calling;
use crate::client::driver;
use crate::client::line::Line;
use crate::rpc::frame::Dialect;
use crate::rpc::{Body, Request, Status, frame};
use crate::transport::Socket;

/// A socket that all unary calls to one node share. Dropping the last handle ends it.
#[derive(Debug)]
pub(crate) struct Connection {
    line: Arc<Line>,
    dialect: Dialect,
    driver: AbortHandle,
}

impl Connection {
    /// Takes over a socket. Ends after `idle` without a call.
    pub(crate) fn new(socket: Socket, dialect: Dialect, limit: usize, idle: Duration) -> Self {
        let line = Line::new(socket, dialect, limit);
        let driver = tokio::spawn(driver::drive(line.clone(), dialect, idle));
        Connection {
            line,
            dialect,
            driver: driver.abort_handle(),
        }
    }

    /// Makes one unary call, until the deadline of its context, or the end of it. Dropping the future cancels it at the
    /// other end.
    ///
    /// The reference is exclusive because the stream in a body is not to be shared.
    pub(crate) fn call<'a>(&'a self, request: &'a mut Request, now: Instant) -> Result<Calling<'a>, Status> {
        let Body::One(body) = &request.body else {
            return Err(Status::invalid_argument("a unary call carries one message"));
        };
        let id = self.line.table.next_id();
        let message = frame::request(request, id, self.dialect, body.clone(), now)?;
        Ok(Calling::new(&self.line, id, message, &request.context))
    }

    /// How many calls wait.
    pub(crate) fn in_flight(&self) -> usize {
        self.line.table.waiting()
    }

    /// Whether it ended because nobody had called for a while, so that its peer is as good as before.
    pub(crate) fn has_retired(&self) -> bool {
        self.line.table.has_retired()
    }

    /// Whether a call made now would find it ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.line.table.has_ended()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
