//! One socket of a server: its requests run side by side, their answers leave through one writer.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use tower::Service;

use crate::error::{ErrorKind, Result};
use crate::message::{Message, Text};
use crate::observe::{self, Observed};
use crate::rpc::credit::Amount;
use crate::rpc::frame::{self, Call, FromCaller, ReplyTo};
use crate::rpc::{Body, Context, Request, Response, Status};
use crate::server::answering::Answering;
use crate::server::handling::{self, Begun, Endpoints, Handling};
use crate::server::outbox::{Caller, Outbox, Writer};
use crate::server::pace::Pace;
use crate::server::running::{Incoming, Running};
use crate::server::turn::Turn;
use crate::server::{Admitted, Shared};
use crate::transport::{Socket, SocketReceiver};

/// How long a peer may take to read its last answers.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Runs until the peer is gone, or the server finishes. A peer that is gone cancels its handlers.
pub(super) async fn run<S>(socket: Socket, service: S, shared: Arc<Shared>)
where
    S: Service<Request, Response = Response, Error = Status> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    let (sender, mut receiver) = socket.split();
    let (writer, outbox) = Writer::new(sender);
    let context = frame::server_context(&shared.handlers, receiver.remote());
    let finish = shared.finish.clone();
    let mut connection = Connection {
        endpoints: Endpoints::new(service),
        pace: Pace::default(),
        turn: Turn::default(),
        shared,
        context,
        writer: &writer,
        outbox,
        calls: HashMap::new(),
        reaped: 64,
    };
    let write = writer.run();
    tokio::pin!(write);
    let more = tokio::select! {
        // What was fed while reading is flushed after it.
        biased;
        () = connection.read(&mut receiver) => false,
        () = &mut write => return,
        () = finish.cancelled() => true,
    };
    // The writer ends when the last sender of answers is gone: the connection, and then its calls.
    let end = futures::future::join(connection.end(more.then_some(receiver)), write);
    if tokio::time::timeout(LAST_WORDS, end).await.is_err() {
        tracing::debug!("a peer did not read its last answers");
    }
}

struct Connection<'a, S> {
    endpoints: Endpoints<S>,
    pace: Pace,
    turn: Turn,
    shared: Arc<Shared>,
    /// Ends with the socket.
    context: Context,
    writer: &'a Writer,
    outbox: Outbox,
    /// The calls of this socket that can still be cancelled, or be sent items.
    calls: HashMap<Text, Running>,
    /// At which size `calls` is next rid of those that have ended.
    reaped: usize,
}

/// Before the streams of its calls end, so that no handler takes the end of the socket for a good end of its stream.
impl<S> Drop for Connection<'_, S> {
    fn drop(&mut self) {
        self.context.cancel();
    }
}

impl<S> Connection<'_, S>
where
    S: Service<Request, Response = Response, Error = Status> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    /// Ends when the peer is gone: a caller that only sends no more says so by a half-close within its call.
    async fn read(&mut self, receiver: &mut SocketReceiver) {
        while let Some(message) = self.next(receiver).await {
            if let Err(error) = self.on_received(message).await {
                tracing::debug!(%error, peer = %receiver.remote(), "a socket broke");
                return;
            }
        }
    }

    async fn next(&mut self, receiver: &mut SocketReceiver) -> Option<Result<Message>> {
        let next = poll_fn(|cx| {
            let next = self.turn.poll_next(receiver, cx);
            if next.is_pending() {
                self.pace.pause();
            }
            next
        });
        next.await
    }

    /// What has come by now is refused, since the server takes no more.
    async fn end(mut self, receiver: Option<SocketReceiver>) {
        let Some(mut receiver) = receiver else { return };
        while let Some(Some(message)) = receiver.next().now_or_never() {
            if self.on_received(message).await.is_err() {
                return;
            }
        }
    }

    async fn on_received(&mut self, message: Result<Message>) -> Result<()> {
        match message {
            Ok(message) => self.on_message(message).await,
            Err(error) if error.kind() == ErrorKind::Malformed => {
                tracing::debug!(%error, peer = ?self.context.peer(), "an unreadable message was ignored");
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn on_message(&mut self, message: Message) {
        match frame::from_caller(message) {
            FromCaller::Call(call) => self.on_call(call).await,
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
            FromCaller::Credit(id, amount) => self.on_credit(&id, amount).await,
        }
    }

    async fn on_call(&mut self, mut call: Call) {
        if call.reply.stream
            && let Some(running) = self.calls.get_mut(&call.reply.id)
        {
            let heard = or_gone(running.hear(&mut call), self.writer).await;
            if let Some(Err(status)) = heard {
                running.cut();
                self.refuse(call.reply, &status).await;
            }
            return;
        }
        let body = match call.take_body() {
            Ok(body) => body,
            Err(error) => return self.refuse(call.reply, &error.into()).await,
        };
        match self.shared.admit(call.reply.dialect) {
            Ok(place) => self.begin(call, body, place),
            Err(status) => self.refuse(call.reply, &status).await,
        }
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

    fn begin(&mut self, call: Call, body: Bytes, place: Admitted) {
        let context = self.context.child();
        if call.reply.stream {
            let capacity = self.shared.options.stream_capacity;
            let (incoming, body) = Incoming::open(&call.reply, &context, body, capacity);
            let (reply, mut request) = call.into_request(context, body);
            let observed = self.observe(&mut request);
            let context = request.context.clone();
            let handling = self.endpoints.handle(request);
            return self.spawn(reply, context, Some(incoming), place, observed, handling);
        }
        let (reply, mut request) = call.into_request(context, Body::One(body));
        let observed = self.observe(&mut request);
        let context = request.context.clone();
        let begun = match &observed {
            None => self.begin_here(request),
            Some(observed) => observed.span().in_scope(|| self.begin_here(request)),
        };
        match begun {
            Begun::Done(response) => {
                let answer = response.and_then(|response| handling::only_answer(&reply, response));
                if let Some(observed) = observed {
                    observed.end(answer.as_ref().map(drop));
                }
                let answer = answer.unwrap_or_else(|status| reply.failure(&status));
                self.writer.feed(answer, &reply);
            }
            Begun::Waits(handling) => self.spawn(reply, context, None, place, observed, handling),
        }
    }

    fn observe(&self, request: &mut Request) -> Option<Observed> {
        observe::server(request, &self.shared.options.methods)
    }

    /// Begins a handler in this task, if its answer could leave from here, too.
    fn begin_here(&mut self, request: Request) -> Begun {
        if !self.writer.has_room() || !self.pace.begin() {
            return Begun::Waits(self.endpoints.handle(request));
        }
        let begun = self.endpoints.begin(request);
        self.pace.end();
        begun
    }

    /// Goes on with a call in a task of its own.
    fn spawn(
        &mut self,
        reply: ReplyTo,
        context: Context,
        incoming: Option<Incoming>,
        place: Admitted,
        observed: Option<Observed>,
        handling: Handling,
    ) {
        let caller = Caller::new(reply);
        let (items, flow) = incoming.map_or((None, None), Incoming::into_parts);
        let running = Running::new(context.clone(), &caller, items, flow.as_ref());
        self.remember(caller.reply.id.clone(), running);
        let answering = Answering {
            caller,
            context,
            outbox: self.outbox.clone(),
            place,
            observed,
            flow,
        };
        self.shared.calls.spawn(answering.run(handling));
    }

    /// Keeps the call for cancellation, and forgets those that have ended whenever their number has doubled.
    fn remember(&mut self, id: Text, running: Running) {
        if self.calls.len() >= self.reaped {
            self.calls.retain(|_, running| running.lasts());
            self.reaped = (self.calls.len() * 2).max(64);
        }
        self.calls.insert(id, running);
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
