//! A socket that many calls share, and who works on it.
//!
//! Its driver does, for all callers together. To wake it for one call alone costs more than what it does then, so a
//! caller that is alone sends its request itself, and reads its answer. It leaves behind that the driver is woken for
//! whatever comes next. As soon as there is a second caller, the driver is woken, and takes over: so nobody waits for
//! a task of somebody else, which may be busy with other things.

use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::client::in_flight::{Found, InFlight};
use crate::message::Message;
use crate::rpc::frame::Dialect;
use crate::rpc::{Response, Status};
use crate::transport::Socket;

mod halves;
#[cfg(test)]
mod tests;

pub(crate) use halves::{End, Halves};

/// A socket with the calls on it.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) table: InFlight,
    /// Gone when the driver is. Never locked for longer than what is ready takes; a caller does not wait for it.
    halves: Mutex<Option<Halves>>,
    /// The driver's, to which timers belong that a caller may start.
    runtime: Handle,
}

impl Line {
    /// Takes over a socket to such a server, for at most `limit` calls at a time. To be called within a runtime.
    pub(crate) fn new(socket: impl Into<Option<Socket>>, dialect: Dialect, limit: usize) -> Arc<Self> {
        Arc::new(Line {
            table: InFlight::new(dialect, limit),
            halves: Mutex::new(socket.into().map(Halves::new)),
            runtime: Handle::current(),
        })
    }

    // What callers do.

    /// Makes a call, which is answered by its deadline; whether its caller is alone, and has to look for the answer.
    pub(crate) fn begin(
        &self,
        id: u64,
        message: Message,
        deadline: Option<Instant>,
        caller: &Context<'_>,
    ) -> Result<bool, Status> {
        let alone = self.table.begin(id, message, deadline, caller.waker())?;
        if alone && !self.write_alone() {
            self.table.rouse();
        }
        Ok(alone)
    }

    /// The answer of a call, which ends it. `reads` says whether it is its caller that is woken for what comes.
    pub(crate) fn poll_answer(
        &self,
        id: u64,
        reads: &mut bool,
        caller: &Context<'_>,
    ) -> Poll<Result<Response, Status>> {
        match self.table.find(id, caller.waker()) {
            Found::Answer(answer) => {
                self.stop_reading(reads);
                Poll::Ready(answer)
            }
            Found::Others => Poll::Pending,
            Found::Nobody => {
                *reads = self.read_alone(id, caller);
                self.table.poll_answer(id, caller.waker())
            }
        }
    }

    /// Gives up a call.
    pub(crate) fn leave(&self, id: u64, reads: &mut bool) {
        self.table.leave(id);
        self.stop_reading(reads);
    }

    fn stop_reading(&self, reads: &mut bool) {
        if std::mem::take(reads) {
            self.table.rouse();
        }
    }

    /// Sends what is to be sent; false when it is not certain that this, and what has to follow, is seen to.
    fn write_alone(&self) -> bool {
        self.work_alone(|halves, table| match halves.poll_write(table) {
            Poll::Ready(Err(error)) => Err(End::Broken(error)),
            // Whatever is not done, the driver is woken for.
            Poll::Ready(Ok(())) | Poll::Pending => Ok(true),
        })
    }

    /// Reads what has come; whether the caller is woken for what comes next, because its answer did not.
    fn read_alone(&self, id: u64, caller: &Context<'_>) -> bool {
        self.work_alone(|halves, table| halves.read_for(table, id, caller).map_err(End::Read))
    }

    /// Works on the socket in the place of the driver, which gets to know of an end. False also when the driver is at
    /// work itself, or gone.
    fn work_alone(&self, work: impl FnOnce(&mut Halves, &InFlight) -> Result<bool, End>) -> bool {
        let mut guard = self.halves.try_lock();
        let halves = guard.as_mut().and_then(|guard| guard.as_mut());
        let Some(halves) = halves.filter(|halves| halves.end.is_none()) else {
            return false;
        };
        let _runtime = self.runtime.enter();
        work(halves, &self.table).unwrap_or_else(|end| {
            halves.end = Some(end);
            self.table.rouse();
            false
        })
    }

    // What the driver does.

    /// Reads what comes, until there is something to send, or the end.
    pub(crate) fn poll_work(&self, driver: &Context<'_>) -> Poll<Option<End>> {
        // It leaves before more answers are handed on, so that the other end has work meanwhile. Whoever sends it looks
        // for answers, too, or comes back here.
        if self.table.has_enough() {
            return Poll::Ready(None);
        }
        self.drive(driver, |halves, table| {
            if let Poll::Ready(error) = halves.poll_read(table, driver) {
                return Poll::Ready(Some(End::Read(error)));
            }
            let work = table.poll_work(driver);
            match halves.has_fed() {
                true => Poll::Ready(None),
                false => work.map(|()| None),
            }
        })
    }

    /// Sends all that is ready, and reads while that has to wait; why it ends, if it does.
    pub(crate) fn poll_write(&self, driver: &Context<'_>) -> Poll<Option<End>> {
        self.drive(driver, |halves, table| match halves.poll_write(table) {
            Poll::Ready(Ok(())) if table.has_retired() => Poll::Ready(Some(End::Idle)),
            Poll::Ready(written) => Poll::Ready(written.err().map(End::Broken)),
            Poll::Pending => halves
                .poll_read(table, driver)
                .map(|error| Some(End::Read(error))),
        })
    }

    fn drive(
        &self,
        driver: &Context<'_>,
        work: impl FnOnce(&mut Halves, &InFlight) -> Poll<Option<End>>,
    ) -> Poll<Option<End>> {
        let mut guard = self.halves.lock();
        let Some(halves) = guard.as_mut() else {
            return Poll::Pending;
        };
        halves.attend(driver);
        match halves.end.take() {
            Some(end) => Poll::Ready(Some(end)),
            None => work(halves, &self.table),
        }
    }

    /// Takes the socket away from callers.
    pub(crate) fn take(&self) -> Option<Halves> {
        self.halves.lock().take()
    }
}
