//! One socket of a server: its requests run side by side, their answers leave through one writer.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt, Stream, StreamExt};
use tokio::sync::mpsc::{self, error::TrySendError};
use tower::Service;

use crate::error::{ErrorKind, Result};
use crate::message::{Message, Text};
use crate::observe::{self, Observed};
use crate::rpc::frame::{self, Call, FromCaller, ReplyTo};
use crate::rpc::{Body, BodyStream, Context, Request, Response, Status};
use crate::server::answering::Answering;
use crate::server::handling::{self, Begun, Endpoints, Handling};
use crate::server::outbox::{Caller, Outbox, Writer};
use crate::server::pace::Pace;
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

/// A call that was begun on this socket.
struct Running {
    context: Context,
    items: Option<mpsc::Sender<Item>>,
    /// Gone when the call has ended.
    caller: Weak<Caller>,
}

/// One message of an incoming stream.
type Item = Result<Bytes, Status>;

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
            let next = receiver.poll_next_unpin(cx);
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
                    running.items = None;
                }
            }
            FromCaller::End(id) => {
                if let Some(caller) = self.calls.remove(&id).and_then(|call| call.caller.upgrade()) {
                    caller.leave();
                }
            }
            FromCaller::Cancel(id) => {
                if let Some(running) = self.calls.remove(&id) {
                    running.context.cancel();
                }
            }
        }
    }

    async fn on_call(&mut self, mut call: Call) {
        let body = match call.take_body() {
            Ok(body) => body,
            Err(error) => return self.refuse(call.reply, &error.into()).await,
        };
        if call.reply.stream
            && let Some(running) = self.calls.get(&call.reply.id)
        {
            if let Some(items) = &running.items {
                self.hand_on(items, body).await;
            }
            return;
        }
        match self.shared.admit(call.dialect) {
            Ok(place) => self.begin(call, body, place),
            Err(status) => self.refuse(call.reply, &status).await,
        }
    }

    /// Hands an item on to its stream. Waiting here stops reading this socket, which belongs to this stream alone: its
    /// sender is slowed. But a sender that is gone must not wait for a handler that does not read.
    async fn hand_on(&self, items: &mpsc::Sender<Item>, body: Bytes) {
        // An error means that the handler no longer reads.
        let Err(TrySendError::Full(item)) = items.try_send(Ok(body)) else {
            return;
        };
        tokio::select! {
            biased;
            _ = items.send(item) => {}
            () = self.writer.closed() => {}
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
            let (items, body) = self.body(&context, body);
            let (reply, mut request) = call.into_request(context, body);
            let observed = self.observe(&mut request);
            let context = request.context.clone();
            let handling = self.endpoints.handle(request);
            return self.spawn(reply, context, items, place, observed, handling);
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
        items: Option<mpsc::Sender<Item>>,
        place: Admitted,
        observed: Option<Observed>,
        handling: Handling,
    ) {
        let caller = Caller::new(reply);
        let running = Running {
            context: context.clone(),
            items,
            caller: Arc::downgrade(&caller),
        };
        self.remember(caller.reply.id.clone(), running);
        let answering = Answering {
            caller,
            context,
            outbox: self.outbox.clone(),
            place,
            observed,
        };
        self.shared.calls.spawn(answering.run(handling));
    }

    /// The body of a new stream, and where its later items go.
    fn body(&self, context: &Context, first: Bytes) -> (Option<mpsc::Sender<Item>>, Body) {
        let (sender, mut receiver) = mpsc::channel(self.shared.options.stream_capacity);
        let items = futures::stream::poll_fn(move |cx| receiver.poll_recv(cx));
        let items = BodyStream::new(items.chain(bad_end(context.clone())));
        (Some(sender), Body::Many(items.with_opening(first)))
    }

    /// Keeps the call for cancellation, and forgets those that have ended whenever their number has doubled.
    fn remember(&mut self, id: Text, running: Running) {
        if self.calls.len() >= self.reaped {
            self.calls.retain(|_, running| running.caller.strong_count() > 0);
            self.reaped = (self.calls.len() * 2).max(64);
        }
        self.calls.insert(id, running);
    }
}

/// What a stream ends with whose caller went away instead of ending it.
fn bad_end(context: Context) -> impl Stream<Item = Item> {
    futures::stream::once(async move { context.is_cancelled() })
        .filter_map(async |gone| gone.then(|| Err(Status::cancelled("the caller went away"))))
}
