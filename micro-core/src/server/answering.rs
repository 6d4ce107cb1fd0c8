//! One call of a server that takes its time, from its handler to its last answer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::OptionFuture;
use tracing::{Instrument, Span};

use crate::message::{Headers, Message};
use crate::observe::Observed;
use crate::rpc::pack::Pack;
use crate::rpc::{Body, BodyStream, Context, Filled, Status};
use crate::server::Admitted;
use crate::server::flow::Flow;
use crate::server::handling::{self, Handling};
use crate::server::outbox::{Answer, Caller, Outbox};

/// A call whose handler runs.
pub(super) struct Answering {
    pub(super) caller: Arc<Caller>,
    pub(super) context: Context,
    pub(super) outbox: Outbox,
    pub(super) place: Admitted,
    pub(super) observed: Option<Observed>,
    /// Of a stream whose caller counts on credit.
    pub(super) flow: Option<Flow>,
}

impl Answering {
    /// Ends with exactly one answer, or one end of stream; with none when the caller no longer waits.
    pub(super) async fn run(mut self, handler: Handling) {
        let observed = self.observed.take();
        let span = observed
            .as_ref()
            .map_or_else(Span::none, |observed| observed.span().clone());
        // In a box, since the future of a call is kept small, and most have none.
        let flow = self.flow.as_ref();
        let telling = flow.map(|flow| flow.tell(&self.caller, &self.outbox).boxed());
        let telling = OptionFuture::from(telling);
        let work = AssertUnwindSafe(self.answer(handler).instrument(span)).catch_unwind();
        let ended = tokio::select! {
            biased;
            last = work => match last {
                Ok(Ok(message)) => Ended::Well(message),
                Ok(Err(status)) => Ended::Badly(status),
                Err(panic) => Ended::Badly(handling::panicked(&self.caller.reply.endpoint, &*panic)),
            },
            ended = self.nobody_waits() => ended,
            Some(never) = telling => match never {},
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
                self.only(handling::only_answer(
                    &self.caller.reply,
                    response,
                    Headers::new(),
                )?)
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
        let mut pack = Pack::new(self.flow.as_ref().map(|flow| flow.credit.clone()));
        loop {
            let filled = self.unless_unread(self.fill(&mut items, &mut pack)).await?;
            while let Some(chunk) = pack.take() {
                let answer = self.caller.clone().items(chunk).map_err(handling::unsayable)?;
                self.hand_over(answer).await?;
            }
            match filled {
                Filled::Some => {}
                Filled::End => return Ok(self.caller.reply.end()),
                Filled::Failed(status) => return Err(status.after_running()),
            }
        }
    }

    /// A panic is caught here, so that the items before it are sent.
    async fn fill(&self, items: &mut BodyStream, pack: &mut Pack) -> Filled {
        let filled = AssertUnwindSafe(items.fill(pack)).catch_unwind().await;
        filled
            .unwrap_or_else(|panic| Filled::Failed(handling::panicked(&self.caller.reply.endpoint, &*panic)))
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
        self.hand_over(self.caller.clone().answer(message)).await
    }

    async fn hand_over(&self, answer: Box<Answer>) -> Result<(), Status> {
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
