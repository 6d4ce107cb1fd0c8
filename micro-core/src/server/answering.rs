//! One call of a server, from its handler to its last answer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::{FutureExt, StreamExt};
use tower::{Service, ServiceExt};

use crate::error::Error;
use crate::message::Message;
use crate::rpc::{Body, BodyStream, Context, Request, Response, Status};
use crate::server::Admitted;
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
    pub(super) async fn run<S>(self, service: S, request: Request)
    where
        S: Service<Request, Response = Response, Error = Status>,
    {
        let work = AssertUnwindSafe(self.answer(service, request)).catch_unwind();
        let last = tokio::select! {
            biased;
            last = work => match last {
                Ok(Ok(message)) => Some(message),
                Ok(Err(status)) => Some(self.caller.reply.failure(&status)),
                Err(panic) => Some(self.caller.reply.failure(&self.panicked(&*panic))),
            },
            last = self.nobody_waits() => last,
        };
        if let Some(message) = last {
            // An error means that the socket is gone, and its reader with it.
            self.send(message).await.ok();
        }
    }

    async fn answer<S>(&self, service: S, request: Request) -> Result<Message, Status>
    where
        S: Service<Request, Response = Response, Error = Status>,
    {
        let Response {
            metadata,
            content_type,
            body,
        } = service.oneshot(request).await?;
        let reply = &self.caller.reply;
        match body {
            Body::One(body) => {
                let answer = reply.answer(content_type, metadata, body).map_err(unsayable)?;
                self.only(answer).await
            }
            Body::Many(items) if reply.stream => self.all(items).await,
            Body::Many(_) => Err(Status::unimplemented(
                "this endpoint answers with a stream; call it as one",
            )),
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
            self.send(
                self.caller
                    .reply
                    .item(item.map_err(Status::after_running)?)
                    .map_err(unsayable)?,
            )
            .await?;
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

    fn panicked(&self, panic: &(dyn std::any::Any + Send)) -> Status {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        tracing::error!(endpoint = %self.caller.reply.endpoint, panic = text, "a handler panicked");
        Status::internal(format!("the handler panicked: {text}"))
    }
}

/// What the handler made does not fit what its content type puts around it.
fn unsayable(error: Error) -> Status {
    Status::internal(error.to_string())
}
