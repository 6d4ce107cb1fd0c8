//! One call of a server that takes its time, from its handler to its last answer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::{FutureExt, StreamExt};
use tracing::{Instrument, Span};

use crate::message::Message;
use crate::observe::Observed;
use crate::rpc::{Body, BodyStream, Context, Status};
use crate::server::Admitted;
use crate::server::handling::{self, Handling};
use crate::server::outbox::{Caller, Outbox};

/// A call whose handler runs.
pub(super) struct Answering {
    pub(super) caller: Arc<Caller>,
    pub(super) context: Context,
    pub(super) outbox: Outbox,
    pub(super) place: Admitted,
    pub(super) observed: Option<Observed>,
}

impl Answering {
    /// Ends with exactly one answer, or one end of stream; with none when the caller no longer waits.
    pub(super) async fn run(mut self, handler: Handling) {
        let observed = self.observed.take();
        let span = observed
            .as_ref()
            .map_or_else(Span::none, |observed| observed.span().clone());
        let work = AssertUnwindSafe(self.answer(handler).instrument(span)).catch_unwind();
        let ended = tokio::select! {
            biased;
            last = work => match last {
                Ok(Ok(message)) => Ended::Well(message),
                Ok(Err(status)) => Ended::Badly(status),
                Err(panic) => Ended::Badly(handling::panicked(&self.caller.reply.endpoint, &*panic)),
            },
            ended = self.nobody_waits() => ended,
        };
        if let Some(observed) = observed {
            observed.end(ended.result());
        }
        if let Some(message) = ended.last_word(&self.caller) {
            // An error means that the socket is gone, and its reader with it.
            self.send(message).await.ok();
        }
    }

    async fn answer(&self, handler: Handling) -> Result<Message, Status> {
        let response = handler.await?;
        match response.body {
            Body::Many(items) if self.caller.reply.stream => self.all(items).await,
            _ => {
                self.only(handling::only_answer(&self.caller.reply, response)?)
                    .await
            }
        }
    }

    /// To a caller that opened a stream, the only answer is its only item: a reader would wait for more.
    async fn only(&self, answer: Message) -> Result<Message, Status> {
        if !self.caller.reply.stream {
            return Ok(answer);
        }
        self.send(answer).await?;
        Ok(self.caller.reply.end())
    }

    async fn all(&self, mut items: BodyStream) -> Result<Message, Status> {
        while let Some(item) = self.unless_unread(items.next()).await? {
            let item = item.map_err(Status::after_running)?;
            let item = self.caller.reply.item(item);
            self.send(item.map_err(handling::unsayable)?).await?;
        }
        Ok(self.caller.reply.end())
    }

    /// What nobody reads need not be made.
    async fn unless_unread<T>(&self, item: impl Future<Output = T>) -> Result<T, Status> {
        tokio::select! {
            item = item => Ok(item),
            () = self.caller.left() => {
                self.context.cancel();
                Err(Status::cancelled("the caller reads no more"))
            }
        }
    }

    async fn send(&self, message: Message) -> Result<(), Status> {
        let answer = self.caller.clone().answer(message);
        let sent = self.outbox.send(answer).await;
        sent.map_err(|_| Status::cancelled("the caller is gone"))
    }

    /// Waits until the answer would reach nobody, or the server is stopping and says so.
    ///
    /// Nothing is answered after the deadline: a go-micro caller would take it for the answer to its next call.
    async fn nobody_waits(&self) -> Ended {
        let deadline = async {
            match self.context.deadline() {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = deadline => {
                self.context.cancel();
                Ended::Unheard(Status::deadline_exceeded("the deadline passed"))
            }
            () = self.context.cancelled() => match self.stopping() {
                true => Ended::Badly(stopped()),
                false => Ended::Unheard(Status::cancelled("the caller is gone")),
            },
        }
    }

    fn stopping(&self) -> bool {
        self.place.0.handlers.is_cancelled()
    }
}

/// How a call ended.
enum Ended {
    /// With this as the last thing that is said.
    Well(Message),
    /// With a failure, which is said.
    Badly(Status),
    /// With nobody left who would hear why.
    Unheard(Status),
}

impl Ended {
    fn result(&self) -> Result<(), &Status> {
        match self {
            Ended::Well(_) => Ok(()),
            Ended::Badly(status) | Ended::Unheard(status) => Err(status),
        }
    }

    fn last_word(self, caller: &Caller) -> Option<Message> {
        match self {
            Ended::Well(message) => Some(message),
            Ended::Badly(status) => Some(caller.reply.failure(&status)),
            Ended::Unheard(_) => None,
        }
    }
}

fn stopped() -> Status {
    Status::unavailable("the service stopped before the answer was ready")
}
