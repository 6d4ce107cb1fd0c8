//! What is not begun at once: streams and their items, and whatever else a caller says.

use std::task::Poll;

use bytes::Bytes;
use tokio::sync::mpsc::error::TrySendError;
use tower::Service;

use super::Connection;
use crate::message::Text;
use crate::observe;
use crate::rpc::credit::Amount;
use crate::rpc::frame::{Call, FromCaller, ReplyTo};
use crate::rpc::items::Chunk;
use crate::rpc::{Request, Response, Status};
use crate::server::Admitted;
use crate::server::outbox::{Answer, Caller, Writer};
use crate::server::running::Incoming;

/// What has to be waited for: room.
pub(super) enum Wait {
    /// For the next items of this stream.
    Items(ReplyTo, Chunk),
    /// For the word that a call is not taken, or has been cut.
    Refusal(Box<Answer>),
}

impl<S> Connection<'_, S>
where
    S: Service<Request, Response = Response, Error = Status> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    /// Not `async`, since little of it has to be waited for, and each socket would have room for that all its life.
    pub(super) fn on_rest(&mut self, said: FromCaller) -> Option<Wait> {
        // However long that takes, it is no handler's time.
        self.pace.pause();
        match said {
            FromCaller::Call(call) => return self.on_stream(call),
            FromCaller::HalfClose(id) => {
                if let Some(running) = self.calls.get_mut(&id) {
                    running.half_close();
                }
            }
            FromCaller::End(id) => {
                if let Some(caller) = self.calls.remove(&id).and_then(|call| call.caller()) {
                    caller.leave();
                }
            }
            FromCaller::Cancel(id) => {
                if let Some(running) = self.calls.remove(&id) {
                    running.context.cancel();
                }
            }
            FromCaller::Credit(id, amount) => return self.on_credit(&id, amount),
        }
        None
    }

    pub(super) async fn wait(&mut self, wait: Wait) {
        let refusal = match wait {
            Wait::Refusal(answer) => Some(answer),
            Wait::Items(reply, chunk) => self.hear_later(reply, chunk).await,
        };
        if let Some(answer) = refusal {
            // An error means that the socket is gone.
            self.writer.outbox().send(answer).await.ok();
        }
    }

    async fn hear_later(&mut self, reply: ReplyTo, chunk: Chunk) -> Option<Box<Answer>> {
        let running = self.calls.get_mut(&reply.id)?;
        let heard = or_gone(running.hear_later(chunk), self.writer).await;
        let status = heard?.err()?;
        running.cut();
        self.try_refuse(reply, &status)
    }

    fn on_stream(&mut self, mut call: Call) -> Option<Wait> {
        if let Some(running) = self.calls.get_mut(&call.reply.id) {
            return match running.hear(&mut call) {
                Ok(unheard) => unheard.map(|chunk| Wait::Items(call.reply, chunk)),
                Err(status) => {
                    running.cut();
                    self.refuse(call.reply, &status)
                }
            };
        }
        match self.admit(&mut call) {
            Ok((body, place)) => {
                self.open(call, body, place);
                None
            }
            Err(status) => self.refuse(call.reply, &status),
        }
    }

    fn open(&mut self, call: Call, body: Bytes, place: Admitted) {
        let context = self.child();
        let capacity = self.shared.options.stream_capacity;
        let (incoming, body) = Incoming::open(&call.reply, &context, body, capacity);
        let (reply, mut request) = call.into_request(context, body, self.pace.now());
        let observed = self.observe(&mut request);
        let context = request.context.clone();
        let handling = self.endpoints.handle(request);
        self.spawn(reply, context, Some(incoming), place, observed, handling);
    }

    fn on_credit(&mut self, id: &Text, amount: Option<Amount>) -> Option<Wait> {
        let running = self.calls.get_mut(id)?;
        let status = running.allow(amount).err()?;
        // Before it is cut: it may have ended a moment later, and its caller would wait for the word.
        let caller = running.caller();
        running.cut();
        self.refuse(caller?.reply.clone(), &status)
    }

    /// Says that a call is not taken, or has been cut.
    pub(super) fn refuse(&mut self, reply: ReplyTo, status: &Status) -> Option<Wait> {
        self.try_refuse(reply, status).map(Wait::Refusal)
    }

    /// The same, or gives the word back, when there is no room for it.
    fn try_refuse(&mut self, reply: ReplyTo, status: &Status) -> Option<Box<Answer>> {
        self.pace.pause();
        observe::refused(status);
        let failure = reply.failure(status);
        match self.writer.outbox().try_send(Caller::new(reply).answer(failure)) {
            Err(TrySendError::Full(answer)) => Some(answer),
            // Otherwise the socket is gone.
            Ok(()) | Err(TrySendError::Closed(_)) => None,
        }
    }
}

/// A sender that is gone must not wait for a handler that does not read.
async fn or_gone<T>(hear: impl Future<Output = T>, writer: &Writer) -> Option<T> {
    tokio::pin!(hear);
    if let Poll::Ready(heard) = futures::poll!(&mut hear) {
        return Some(heard);
    }
    tokio::select! {
        biased;
        heard = hear => Some(heard),
        () = writer.closed() => None,
    }
}
