//! What is not begun at once: streams and their items, and whatever else a caller says.

use std::task::Poll;

use bytes::Bytes;
use tower::Service;

use super::Connection;
use crate::message::Text;
use crate::observe;
use crate::rpc::credit::Amount;
use crate::rpc::frame::{Call, FromCaller, ReplyTo};
use crate::rpc::{Request, Response, Status};
use crate::server::Admitted;
use crate::server::outbox::{Caller, Writer};
use crate::server::running::Incoming;

/// What may have to be waited for.
pub(super) enum Rest {
    /// Anything but a unary call.
    Said(FromCaller),
    /// A call that is not taken.
    Refused(ReplyTo, Status),
}

impl<S> Connection<'_, S>
where
    S: Service<Request, Response = Response, Error = Status> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    pub(super) async fn on_rest(&mut self, rest: Rest) {
        // However long that takes, it is no handler's time.
        self.pace.pause();
        match rest {
            Rest::Refused(reply, status) => self.refuse(reply, &status).await,
            Rest::Said(FromCaller::Call(call)) => self.on_stream(call).await,
            Rest::Said(FromCaller::HalfClose(id)) => {
                if let Some(running) = self.calls.get_mut(&id) {
                    running.half_close();
                }
            }
            Rest::Said(FromCaller::End(id)) => {
                if let Some(caller) = self.calls.remove(&id).and_then(|call| call.caller()) {
                    caller.leave();
                }
            }
            Rest::Said(FromCaller::Cancel(id)) => {
                if let Some(running) = self.calls.remove(&id) {
                    running.context.cancel();
                }
            }
            Rest::Said(FromCaller::Credit(id, amount)) => self.on_credit(&id, amount).await,
        }
    }

    async fn on_stream(&mut self, mut call: Call) {
        if let Some(running) = self.calls.get_mut(&call.reply.id) {
            let heard = or_gone(running.hear(&mut call), self.writer).await;
            if let Some(Err(status)) = heard {
                running.cut();
                self.refuse(call.reply, &status).await;
            }
            return;
        }
        match self.admit(&mut call) {
            Ok((body, place)) => self.open(call, body, place),
            Err(status) => self.refuse(call.reply, &status).await,
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

    async fn on_credit(&mut self, id: &Text, amount: Option<Amount>) {
        let Some(running) = self.calls.get_mut(id) else {
            return;
        };
        if let Err(status) = running.allow(amount) {
            // Before it is cut: it may have ended a moment later, and its caller would wait for the word.
            let caller = running.caller();
            running.cut();
            if let Some(caller) = caller {
                self.refuse(caller.reply.clone(), &status).await;
            }
        }
    }

    async fn refuse(&self, reply: ReplyTo, status: &Status) {
        observe::refused(status);
        let failure = reply.failure(status);
        // An error means that the socket is gone.
        self.outbox.send(Caller::new(reply).answer(failure)).await.ok();
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
