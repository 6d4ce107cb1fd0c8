//! One unary call on a socket that many share.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::Instant;

use crate::client::in_flight::InFlight;
use crate::message::Message;
use crate::rpc::{Response, Status};

/// A call that is made when it is first polled, and answered by its deadline. Dropping it ends it: its entry is removed,
/// and the peer is told if it was sent.
#[derive(Debug)]
pub(crate) struct Calling<'a> {
    table: &'a InFlight,
    id: u64,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Made(Message, Option<Instant>),
    Waits,
    Over,
}

impl<'a> Calling<'a> {
    /// A call of this id, which nobody else has.
    pub(crate) fn new(table: &'a InFlight, id: u64, message: Message, deadline: Option<Instant>) -> Self {
        Calling {
            table,
            id,
            step: Step::Made(message, deadline),
        }
    }
}

impl Future for Calling<'_> {
    type Output = Result<Response, Status>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = match std::mem::replace(&mut self.step, Step::Over) {
            Step::Made(message, deadline) => match self.table.begin(self.id, message, deadline, cx.waker()) {
                Ok(()) => Poll::Pending,
                Err(refused) => return Poll::Ready(Err(refused)),
            },
            Step::Waits => self.table.poll_answer(self.id, cx.waker()),
            // As every future, it is not polled again.
            Step::Over => Poll::Pending,
        };
        if answer.is_pending() {
            self.step = Step::Waits;
        }
        answer
    }
}

impl Drop for Calling<'_> {
    fn drop(&mut self) {
        if matches!(self.step, Step::Waits) {
            self.table.leave(self.id);
        }
    }
}
