//! What the driver of a socket sends for its callers.

use std::task::{Context, Poll, Waker};

use super::InFlight;
use crate::message::Message;
use crate::rpc::Status;

/// What the driver is to send next.
#[derive(Debug, PartialEq)]
pub(crate) enum Work {
    Call(u64, Message),
    /// The caller of this call went away.
    Cancel(u64),
    Ping,
}

impl InFlight {
    /// Waits until there is something to send.
    pub(crate) fn poll_work(&self, driver: &Context<'_>) -> Poll<()> {
        let mut calls = self.calls.lock();
        let work = calls.has_work();
        calls.driver.look(driver.waker(), work);
        if work { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Whether there is something to send, or nobody has called for a while. Others were let run before, and are no more:
    /// should sending have to wait, the driver is to be woken for a call that falls due meanwhile.
    pub(crate) fn take_up_work(&self) -> bool {
        let mut calls = self.calls.lock();
        calls.driver.yields = false;
        calls.has_work()
    }

    /// Whether several calls wait, so that others may be about to be made, and few are to be sent. The driver then says
    /// that it lets them.
    pub(crate) fn is_busy(&self) -> bool {
        let mut calls = self.calls.lock();
        calls.driver.yields = calls.waiting > 1 && !calls.has_enough();
        calls.driver.yields
    }

    /// What to send next, and whether there is more. A call counts as sent from here on; one whose caller has gone away is
    /// passed over.
    pub(crate) fn next_work(&self) -> Option<(Work, bool)> {
        let mut calls = self.calls.lock();
        let work = calls.next_work()?;
        Some((work, calls.has_work()))
    }

    /// Takes back that the message taken last was sent.
    pub(crate) fn mark_unsent(&self) {
        self.calls.lock().sent -= 1;
    }

    /// Notes that a message was sent that is no call.
    pub(crate) fn mark_other_sent(&self) {
        self.calls.lock().sent += 1;
    }

    /// Ends the call that could not be sent.
    pub(crate) fn refuse(&self, id: u64, status: Status) {
        let caller = self.calls.lock().finish(id, Err(status));
        caller.inspect(Waker::wake_by_ref);
    }
}
