//! One socket of a server: its requests run side by side, their answers leave through one writer.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use tower::Service;

use crate::error::{ErrorKind, Result};
use crate::message::{Message, Text};
use crate::observe::{self, Observed};
use crate::rpc::frame::{self, Call, FromCaller, ReplyTo};
use crate::rpc::{Context, Request, Response, Status};
use crate::server::answering::Answering;
use crate::server::handling::{Endpoints, Handling};
use crate::server::outbox::{Caller, Writer};
use crate::server::pace::Pace;
use crate::server::running::{Incoming, Running};
use crate::server::turn::Turn;
use crate::server::{Admitted, Shared};
use crate::transport::{Socket, SocketReceiver};

mod last_words;
mod rest;
mod unary;

use last_words::in_time;
use rest::Wait;

/// Runs until the peer is gone, or the server finishes. A peer that is gone cancels its handlers.
pub(super) async fn run<S>(socket: Socket, service: S, shared: Arc<Shared>)
where
    S: Service<Request, Response = Response, Error = Status> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    let (sender, mut receiver) = socket.split();
    let writer = Writer::new(sender);
    let context = frame::server_context(&shared.handlers, receiver.remote());
    let finish = shared.finish.clone();
    let mut connection = Connection {
        endpoints: Endpoints::new(service),
        pace: Pace::default(),
        turn: Turn::default(),
        shared,
        context,
        spare: None,
        writer: &writer,
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
    // The writer ends once the connection is gone and its calls are answered.
    if more {
        let end = futures::future::join(connection.end(receiver), write);
        return Box::pin(in_time(end)).await;
    }
    drop(receiver);
    drop(connection);
    // Mostly nothing is left to be written.
    if futures::poll!(&mut write).is_pending() {
        Box::pin(in_time(write)).await;
    }
}

struct Connection<'a, S> {
    endpoints: Endpoints<S>,
    pace: Pace,
    turn: Turn,
    shared: Arc<Shared>,
    /// Ends with the socket.
    context: Context,
    /// A child of it that is free again.
    spare: Option<Context>,
    writer: &'a Writer,
    /// The calls of this socket that can still be cancelled, or be sent items.
    calls: HashMap<Text, Running>,
    /// At which size `calls` is next rid of those that have ended.
    reaped: usize,
}

/// Before the streams of its calls end, so that no handler takes the end of the socket for a good end of its stream.
impl<S> Drop for Connection<'_, S> {
    fn drop(&mut self) {
        self.context.cancel();
        self.writer.finish();
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
            match self.on_received(message) {
                Ok(None) => {}
                Ok(Some(wait)) => Box::pin(self.wait(wait)).await,
                Err(error) => {
                    tracing::debug!(%error, peer = %receiver.remote(), "a socket broke");
                    return;
                }
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
    async fn end(mut self, mut receiver: SocketReceiver) {
        while let Some(Some(message)) = receiver.next().now_or_never() {
            match self.on_received(message) {
                Ok(None) => {}
                Ok(Some(wait)) => Box::pin(self.wait(wait)).await,
                Err(_) => return,
            }
        }
    }

    /// Begins a unary call; what else came is for [`on_rest`](Connection::on_rest). Not `async`, since most that comes are
    /// unary calls, and a future would be one more place that they are copied to.
    fn on_received(&mut self, message: Result<Message>) -> Result<Option<Wait>> {
        let said = match message {
            Ok(message) => frame::from_caller(message),
            Err(error) if error.kind() == ErrorKind::Malformed => {
                tracing::debug!(%error, peer = ?self.context.peer(), "an unreadable message was ignored");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        Ok(match said {
            FromCaller::Call(call) if !call.reply.stream => self.on_unary(call),
            other => self.on_rest(other),
        })
    }

    fn admit(&self, call: &mut Call) -> std::result::Result<(Bytes, Admitted), Status> {
        let body = call.take_body()?;
        Ok((body, self.shared.admit(call.reply.dialect)?))
    }

    /// The context of one call: that of the last one, when nobody else has it any more.
    fn child(&mut self) -> Context {
        self.spare.take().unwrap_or_else(|| self.context.child())
    }

    fn observe(&self, request: &mut Request) -> Option<Observed> {
        observe::server(request, &self.shared.options.methods)
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
            outbox: self.writer.outbox(),
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
