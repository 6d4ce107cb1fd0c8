//! One unary call on a socket that many share.

use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::time::Instant;

use crate::client::in_flight::InFlight;
use crate::message::Message;
use crate::rpc::{Context, Response, Status};

/// A call that is made when it is first polled, and ends with its context. Dropping it ends it: its entry is removed, and
/// the peer is told if it was sent.
pub(crate) struct Calling<'a> {
    table: &'a InFlight,
    id: u64,
    step: Step,
    /// Boxed, since most calls are watched by nobody.
    cancelled: Option<BoxFuture<'a, ()>>,
}

#[derive(Debug)]
enum Step {
    Made(Message, Option<Instant>),
    Waits,
    Over,
}

impl<'a> Calling<'a> {
    /// A call of this id, which nobody else has.
    pub(crate) fn new(table: &'a InFlight, id: u64, message: Message, context: &'a Context) -> Self {
        Calling {
            table,
            id,
            step: Step::Made(message, context.deadline()),
            cancelled: context.watch(),
        }
    }

    fn is_cancelled(&mut self, cx: &mut TaskContext<'_>) -> bool {
        let cancelled = &mut self.cancelled;
        cancelled
            .as_mut()
            .is_some_and(|end| end.poll_unpin(cx).is_ready())
    }

    /// Gives the call up, if it was made.
    fn leave(&mut self) {
        if matches!(std::mem::replace(&mut self.step, Step::Over), Step::Waits) {
            self.table.leave(self.id);
        }
    }
}

impl Future for Calling<'_> {
    type Output = Result<Response, Status>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        if self.is_cancelled(cx) {
            self.leave();
            return Poll::Ready(Err(Status::cancelled("the calling context was cancelled")));
        }
        let answer = match std::mem::replace(&mut self.step, Step::Over) {
            Step::Made(message, deadline) => match self.table.begin(self.id, message, deadline, cx.waker()) {
                Ok(()) => Poll::Pending,
                Err(refused) => return Poll::Ready(Err(refused)),
            },
            Step::Waits => self.table.poll_answer(self.id, cx.waker()),
            // As every future, it is not polled again.
            Step::Over => return Poll::Pending,
        };
        if answer.is_pending() {
            self.step = Step::Waits;
        }
        answer
    }
}

impl Drop for Calling<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}
