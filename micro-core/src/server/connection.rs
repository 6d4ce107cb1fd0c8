//! One socket of a server: its requests run side by side, their answers leave through one writer.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures::{FutureExt, SinkExt, StreamExt};
use tokio::sync::mpsc;
use tower::{Service, ServiceExt};

use crate::message::{Message, Text};
use crate::rpc::frame::{self, Call, FromCaller, ReplyTo};
use crate::rpc::{Body, BodyStream, Context, Request, Response, Status};
use crate::server::{Admitted, Shared};
use crate::transport::{Socket, SocketReceiver, SocketSender};

/// How many answers wait for the writer before handlers wait for it.
const OUTBOX: usize = 256;

/// Runs until the peer is gone, or the server finishes. A peer that is gone cancels its handlers.
pub(super) async fn run<S>(socket: Socket, service: S, shared: Arc<Shared>)
where
    S: Service<Request, Response = Response, Error = Status> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    let (sender, receiver) = socket.split();
    let (outbox, answers) = mpsc::channel(OUTBOX);
    let context = frame::server_context(&shared.handlers, receiver.remote());
    let _cancel_when_gone = CancelOnDrop(context.clone());
    let finish = shared.finish.clone();
    let connection = Connection {
        service,
        shared,
        context,
        outbox,
        calls: HashMap::new(),
        reaped: 64,
    };
    let write = write(sender, answers);
    tokio::pin!(write);
    tokio::select! {
        () = connection.read(receiver) => {}
        () = &mut write => {}
        // Dropping the reader drops the last sender of answers, so that the writer ends when all have left.
        () = finish.cancelled() => write.await,
    }
}

struct CancelOnDrop(Context);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Feeds all that is ready, and flushes once.
async fn write(mut sender: SocketSender, mut answers: mpsc::Receiver<Message>) {
    while let Some(answer) = answers.recv().await {
        if let Err(error) = feed_ready(&mut sender, answer, &mut answers).await {
            tracing::debug!(%error, peer = %sender.remote(), "answers could not be sent");
            return;
        }
    }
    if let Err(error) = sender.finish().await {
        tracing::debug!(%error, peer = %sender.remote(), "a socket did not close well");
    }
}

async fn feed_ready(
    sender: &mut SocketSender,
    first: Message,
    more: &mut mpsc::Receiver<Message>,
) -> crate::Result<()> {
    sender.feed(first).await?;
    while let Ok(answer) = more.try_recv() {
        sender.feed(answer).await?;
    }
    sender.flush().await
}

struct Connection<S> {
    service: S,
    shared: Arc<Shared>,
    /// Ends with the socket.
    context: Context,
    outbox: mpsc::Sender<Message>,
    /// The calls of this socket that can still be cancelled, or be sent items.
    calls: HashMap<Text, Running>,
    /// At which size `calls` is next rid of those that have ended.
    reaped: usize,
}

/// One message of an incoming stream.
type Item = Result<Bytes, Status>;

/// A call that was begun on this socket.
struct Running {
    context: Context,
    items: Option<mpsc::Sender<Item>>,
    /// Gone when the call has ended.
    alive: std::sync::Weak<()>,
}

impl<S> Connection<S>
where
    S: Service<Request, Response = Response, Error = Status> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    /// Ends when the peer is gone: a caller that only sends no more says so by a half-close within its call.
    async fn read(mut self, mut receiver: SocketReceiver) {
        while let Some(message) = receiver.next().await {
            match message {
                Ok(message) => self.on_message(message).await,
                Err(error) if error.kind() == crate::ErrorKind::Malformed => {
                    tracing::debug!(%error, peer = %receiver.remote(), "an unreadable message was ignored");
                }
                Err(error) => {
                    tracing::debug!(%error, peer = %receiver.remote(), "a socket broke");
                    return;
                }
            }
        }
    }

    async fn on_message(&mut self, message: Message) {
        match frame::from_caller(message) {
            FromCaller::Call(call) => self.on_call(call).await,
            FromCaller::HalfClose(id) => {
                if let Some(running) = self.calls.get_mut(&id) {
                    running.items = None;
                }
            }
            FromCaller::End(id) | FromCaller::Cancel(id) => {
                if let Some(running) = self.calls.remove(&id) {
                    running.context.cancel();
                }
            }
        }
    }

    async fn on_call(&mut self, mut call: Call) {
        let body = match call.take_body() {
            Ok(body) => body,
            Err(error) => return self.refuse(&call.reply, &error.into()).await,
        };
        if call.reply.stream
            && let Some(running) = self.calls.get(&call.reply.id)
        {
            if let Some(items) = &running.items {
                // Waiting here stops reading this socket, which belongs to this stream alone: its sender is slowed.
                // An error means that the handler no longer reads.
                items.send(Ok(body)).await.ok();
            }
            return;
        }
        match self.shared.admit() {
            Ok(place) => self.begin(call, body, place),
            Err(status) => self.refuse(&call.reply, &status).await,
        }
    }

    async fn refuse(&self, reply: &ReplyTo, status: &Status) {
        // An error means that the socket is gone.
        self.outbox.send(reply.failure(status)).await.ok();
    }

    fn begin(&mut self, call: Call, body: Bytes, place: Admitted) {
        let reply = call.reply.clone();
        let context = self.context.child();
        let alive = Arc::new(());
        let (items, body) = self.body(reply.stream, body);
        let running = Running {
            context: context.clone(),
            items,
            alive: Arc::downgrade(&alive),
        };
        self.remember(reply.id.clone(), running);
        let request = call.into_request(context, body);
        let answering = Answering {
            reply,
            context: request.context.clone(),
            outbox: self.outbox.clone(),
            place,
            _alive: alive,
        };
        self.shared
            .calls
            .spawn(answering.run(self.service.clone(), request));
    }

    /// The body of a new call, and where the later items of a stream go.
    fn body(&self, stream: bool, first: Bytes) -> (Option<mpsc::Sender<Item>>, Body) {
        if !stream {
            return (None, Body::One(first));
        }
        let (sender, mut receiver) = mpsc::channel(self.shared.options.stream_capacity);
        let items = futures::stream::poll_fn(move |cx| receiver.poll_recv(cx));
        (
            Some(sender),
            Body::Many(BodyStream::new(items).with_opening(first)),
        )
    }

    /// Keeps the call for cancellation, and forgets those that have ended whenever their number has doubled.
    fn remember(&mut self, id: Text, running: Running) {
        if self.calls.len() >= self.reaped {
            self.calls.retain(|_, running| running.alive.strong_count() > 0);
            self.reaped = (self.calls.len() * 2).max(64);
        }
        self.calls.insert(id, running);
    }
}

/// One call, from its handler to its last answer.
struct Answering {
    reply: ReplyTo,
    context: Context,
    outbox: mpsc::Sender<Message>,
    place: Admitted,
    _alive: Arc<()>,
}

impl Answering {
    /// Ends with exactly one answer, or one end of stream; with none when the caller no longer waits.
    async fn run<S>(self, service: S, request: Request)
    where
        S: Service<Request, Response = Response, Error = Status>,
    {
        let work = AssertUnwindSafe(self.answer(service, request)).catch_unwind();
        let last = tokio::select! {
            biased;
            last = work => match last {
                Ok(Ok(message)) => Some(message),
                Ok(Err(status)) => Some(self.reply.failure(&status)),
                Err(panic) => Some(self.reply.failure(&panicked(&self.reply, &*panic))),
            },
            last = self.nobody_waits() => last,
        };
        if let Some(message) = last {
            // An error means that the socket is gone, and its reader with it.
            self.outbox.send(message).await.ok();
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
        let mut items = match body {
            Body::One(body) => return self.reply.answer(content_type, metadata, body).map_err(unsayable),
            Body::Many(items) if self.reply.stream => items,
            Body::Many(_) => {
                return Err(Status::unimplemented(
                    "this endpoint answers with a stream; call it as one",
                ));
            }
        };
        while let Some(item) = items.next().await {
            self.outbox
                .send(self.reply.item(item?).map_err(unsayable)?)
                .await
                .map_err(|_| Status::cancelled("the caller is gone"))?;
        }
        Ok(self.reply.end())
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
        self.reply.failure(&Status::unavailable(
            "the service stopped before the answer was ready",
        ))
    }
}

/// What the handler made does not fit what its content type puts around it.
fn unsayable(error: crate::Error) -> Status {
    Status::internal(error.to_string())
}

fn panicked(reply: &ReplyTo, panic: &(dyn std::any::Any + Send)) -> Status {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    tracing::error!(endpoint = %reply.endpoint, panic = text, "a handler panicked");
    Status::internal(format!("the handler panicked: {text}"))
}
