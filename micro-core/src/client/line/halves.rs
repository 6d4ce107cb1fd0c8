//! The two halves of a shared socket.

use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use futures::{Sink, Stream};

use crate::client::in_flight::{InFlight, Work};
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::rpc::Status;
use crate::rpc::frame;
use crate::transport::{Socket, SocketReceiver, SocketSender};

/// The two halves of a socket, worked on by one task at a time.
#[derive(Debug)]
pub(crate) struct Halves {
    pub(crate) sender: SocketSender,
    receiver: SocketReceiver,
    /// Who is woken for what no caller waits for.
    driver: Waker,
    /// Something was fed that was not flushed.
    fed: bool,
    /// What a caller met, for the driver.
    pub(super) end: Option<End>,
}

/// Why a socket is given up.
#[derive(Debug)]
pub(crate) enum End {
    /// Nothing more can be read.
    Read(Error),
    /// Nothing more can be sent. What can still be read may tell more.
    Broken(Error),
    /// Nobody has called for a while.
    Idle,
}

impl Halves {
    pub(super) fn new(socket: Socket) -> Self {
        let (sender, receiver) = socket.split();
        Halves {
            sender,
            receiver,
            driver: Waker::noop().clone(),
            fed: false,
            end: None,
        }
    }

    /// Notes whom to wake. Whoever was before is not any more.
    pub(super) fn attend(&mut self, driver: &Context<'_>) {
        self.driver.clone_from(driver.waker());
    }

    /// Hands on what comes, a part each time that it is polled, until the end.
    pub(crate) fn poll_read(&mut self, table: &InFlight, driver: &Context<'_>) -> Poll<Error> {
        self.attend(driver);
        for _ in 0..table.part() {
            let next = Pin::new(&mut self.receiver).poll_next(&mut Context::from_waker(&self.driver));
            if let Err(error) = self.hand_on(table, ready!(next)) {
                return Poll::Ready(error);
            }
        }
        // Those who have their answer now run before: what they call is on its way while others get theirs.
        self.driver.wake_by_ref();
        Poll::Pending
    }

    /// Hands on what has come. While the call has no answer, its caller is woken for what comes next, and else the driver:
    /// whether it is the caller.
    pub(super) fn read_for(&mut self, table: &InFlight, id: u64, caller: &Context<'_>) -> Result<bool> {
        let mut waits = true;
        loop {
            let waker = if waits { caller.waker() } else { &self.driver };
            match Pin::new(&mut self.receiver).poll_next(&mut Context::from_waker(waker)) {
                Poll::Ready(next) => waits &= self.hand_on(table, next)? != Some(id),
                Poll::Pending => return Ok(waits),
            }
        }
    }

    /// Hands an answer to its caller; which call it ended.
    fn hand_on(&self, table: &InFlight, next: Option<Result<Message>>) -> Result<Option<u64>> {
        let remote = self.receiver.remote();
        match next {
            Some(Ok(message)) => Ok(table.complete(frame::from_server(message))),
            Some(Err(error)) if error.kind() == ErrorKind::Malformed => {
                tracing::debug!(%error, peer = %remote, "an unreadable message was ignored");
                Ok(None)
            }
            Some(Err(error)) => Err(error),
            None => {
                let closed = Error::new(ErrorKind::Unavailable, "the peer closed the socket");
                Err(closed.with_context("peer", remote))
            }
        }
    }

    /// Whether something is to be flushed.
    pub(super) fn has_fed(&self) -> bool {
        self.fed
    }

    /// Feeds all that is ready and flushes once. The driver is woken when it can go on.
    pub(super) fn poll_write(&mut self, table: &InFlight) -> Poll<Result<()>> {
        let mut more = table.take_up_work();
        while more {
            ready!(Pin::new(&mut self.sender).poll_ready(&mut Context::from_waker(&self.driver)))?;
            let Some((work, rest)) = table.next_work() else {
                break;
            };
            match work {
                Work::Call(id, message) => self.call(table, id, message)?,
                Work::Cancel(id) => self.say(table, frame::cancel(id))?,
                Work::Ping => self.say(table, frame::ping())?,
            }
            more = rest;
        }
        if self.fed {
            ready!(Pin::new(&mut self.sender).poll_flush(&mut Context::from_waker(&self.driver)))?;
            self.fed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// A request that is too large fails alone; whatever else goes wrong is the end of the socket.
    fn call(&mut self, table: &InFlight, id: u64, message: Message) -> Result<()> {
        let Err(error) = self.feed(message) else {
            return Ok(());
        };
        table.mark_unsent();
        if error.kind() != ErrorKind::ResourceExhausted {
            return Err(error);
        }
        table.refuse(id, Status::from(error).never_delivered());
        Ok(())
    }

    fn say(&mut self, table: &InFlight, message: Message) -> Result<()> {
        self.feed(message)?;
        table.mark_other_sent();
        Ok(())
    }

    fn feed(&mut self, message: Message) -> Result<()> {
        Pin::new(&mut self.sender).start_send(message)?;
        self.fed = true;
        Ok(())
    }
}
