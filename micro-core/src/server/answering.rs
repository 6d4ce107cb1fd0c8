//! One call of a server that takes its time, from its handler to its last answer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::{FutureExt, StreamExt};

use crate::message::Message;
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
}

impl Answering {
    /// Ends with exactly one answer, or one end of stream; with none when the caller no longer waits.
    pub(super) async fn run(self, handler: Handling) {
        let work = AssertUnwindSafe(self.answer(handler)).catch_unwind();
        let last = tokio::select! {
            biased;
            last = work => match last {
                Ok(Ok(message)) => Some(message),
                Ok(Err(status)) => Some(self.caller.reply.failure(&status)),
                Err(panic) => {
                    let status = handling::panicked(&self.caller.reply.endpoint, &*panic);
                    Some(self.caller.reply.failure(&status))
                }
            },
            last = self.nobody_waits() => last,
        };
        if let Some(message) = last {
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
    async fn nobody_waits(&self) -> Option<Message> {
        let deadline = async {
            match self.context.deadline() {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = deadline => {
                self.context.cancel();
                None
            }
            () = self.context.cancelled() => self.stopping().then(|| self.stopped()),
        }
    }

    fn stopping(&self) -> bool {
        self.place.0.handlers.is_cancelled()
    }

    fn stopped(&self) -> Message {
        self.caller.reply.failure(&Status::unavailable(
            "the service stopped before the answer was ready",
        ))
    }
}
