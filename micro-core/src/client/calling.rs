//! One unary call on a socket that many share.

use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::time::Instant;

use crate::client::line::Line;
use crate::message::Message;
use crate::rpc::{Context, Response, Status};

/// A call that is made when it is first polled, and ends with its context. Dropping it ends it: its entry is removed, and
/// the peer is told if it was sent.
pub(crate) struct Calling<'a> {
    line: &'a Line,
    id: u64,
    step: Step,
    /// Boxed, since most calls are watched by nobody.
    cancelled: Option<BoxFuture<'a, ()>>,
}

#[derive(Debug)]
enum Step {
    Made(Message, Option<Instant>),
    /// Whether it is its caller that is woken for what comes on the socket.
    Waits(bool),
    Over,
}

impl<'a> Calling<'a> {
    /// A call of this id, which nobody else has.
    pub(crate) fn new(line: &'a Line, id: u64, message: Message, context: &'a Context) -> Self {
        Calling {
            line,
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
        if let Step::Waits(mut reads) = std::mem::replace(&mut self.step, Step::Over) {
            self.line.leave(self.id, &mut reads);
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
        let mut reads = match std::mem::replace(&mut self.step, Step::Over) {
            Step::Made(message, deadline) => {
                if !self.line.begin(self.id, message, deadline, cx)? {
                    self.step = Step::Waits(false);
                    return Poll::Pending;
                }
                false
            }
            Step::Waits(reads) => reads,
            // As every future, it is not polled again.
            Step::Over => return Poll::Pending,
        };
        let answer = self.line.poll_answer(self.id, &mut reads, cx);
        if answer.is_pending() {
            self.step = Step::Waits(reads);
        }
        answer
    }
}

impl Drop for Calling<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}
