//! One streaming call: a socket of its own, and a task that moves its messages both ways.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::{FutureExt, SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::client::VERDICT;
use crate::client::pulse::Pulse;
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::rpc::frame::{self, Dialect, ServerEvent};
use crate::rpc::{BodyStream, CallKind, Context, Request, Status};
use crate::selector::Entered;
use crate::transport::{Socket, SocketReceiver, SocketSender};

/// The answers of a stream. Dropping them early tells the peer, which cancels its handler.
pub(crate) struct Answers {
    items: mpsc::Receiver<Result<Bytes, Status>>,
    _stop: DropGuard,
}

impl futures::Stream for Answers {
    type Item = Result<Bytes, Status>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.items.poll_recv(cx)
    }
}

/// Opens a stream on a socket of its own.
pub(crate) fn open(
    socket: Socket,
    request: Request,
    dialect: Dialect,
    entered: Entered,
    capacity: usize,
) -> Answers {
    let (items, receiver) = mpsc::channel(capacity);
    let stop = CancellationToken::new();
    let call = Call {
        caller: frame::Caller::new(&request, 0, dialect),
        opening: frame::empty_request(&request.content_type),
        kind: request.kind,
        context: request.context,
        stop: stop.clone(),
        sent: AtomicUsize::new(0),
        dialect,
        pulse: Pulse::new(dialect),
        items,
    };
    // The task ends with the socket, with the deadline, or when the answers are dropped, whichever comes first.
    tokio::spawn(async move {
        call.run(socket, request.body.into_many()).await;
        drop(entered);
    });
    Answers {
        items: receiver,
        _stop: stop.drop_guard(),
    }
}

struct Call {
    caller: frame::Caller,
    opening: Bytes,
    kind: CallKind,
    context: Context,
    stop: CancellationToken,
    /// How many messages were sent on the socket.
    sent: AtomicUsize,
    dialect: Dialect,
    pulse: Pulse,
    items: mpsc::Sender<Result<Bytes, Status>>,
}

/// Why no more could be sent.
enum Unsent {
    /// The caller's own messages ended with an error.
    Source(Status),
    Socket(Error),
}

impl From<Status> for Unsent {
    fn from(status: Status) -> Self {
        Unsent::Source(status)
    }
}

impl From<Error> for Unsent {
    fn from(error: Error) -> Self {
        Unsent::Socket(error)
    }
}

impl Call {
    async fn run(self, socket: Socket, outgoing: BodyStream) {
        let (mut sender, receiver) = socket.split();
        let ended = {
            let receive = self.receive(receiver);
            tokio::pin!(receive);
            tokio::select! {
                biased;
                () = self.stop.cancelled() => None,
                () = self.context.cancelled() => Some(Status::cancelled("the calling context was cancelled")),
                () = deadline(&self.context) => Some(too_late()),
                ended = &mut receive => ended,
                unsent = self.send(&mut sender, outgoing) => match unsent {
                    Unsent::Source(status) => Some(status),
                    Unsent::Socket(error) => self.verdict(error, receive).await,
                },
            }
        };
        let farewell = self.farewell();
        let leave = async {
            // Said in every case: a peer that has ended reads past it, and any other learns that nobody waits.
            sender.send(farewell).await.ok();
            sender.finish().await.ok();
        };
        let leave = tokio::time::timeout(VERDICT, leave);
        // Side by side: the caller does not wait for a socket that is stalled, nor the peer for a slow reader.
        let _ = futures::join!(tell(self.items, ended), leave);
    }

    /// go-micro has one end for all cases, which its handlers take for a good one.
    fn farewell(&self) -> Message {
        if self.dialect.is_ours() {
            frame::cancel(0)
        } else {
            self.caller.end()
        }
    }

    /// go-micro has no half-close. A handler of its takes the end of the stream for that of the requests, and still
    /// answers; but it says no more when it is done, so that only a caller who waits for one answer would know.
    fn end_of_requests(&self) -> Option<Message> {
        match self.dialect.is_ours() {
            true => Some(frame::half_close(0)),
            false => (self.kind == CallKind::ClientStream).then(|| self.caller.end()),
        }
    }

    /// Sends the opening and all items, and then waits for ever; returns what went wrong.
    async fn send(&self, sender: &mut SocketSender, mut outgoing: BodyStream) -> Unsent {
        let sent = match self.feed(sender, self.opening.clone()).await {
            Ok(()) => self.send_items(sender, &mut outgoing).await,
            Err(error) => Err(error.into()),
        };
        match sent {
            Ok(()) => self
                .alive(sender, std::future::pending())
                .await
                .map_or_else(Unsent::from, |never: Infallible| match never {}),
            Err(unsent) => unsent,
        }
    }

    /// Waits, and keeps the other end of the socket alive meanwhile.
    async fn alive<T>(&self, sender: &mut SocketSender, wait: impl Future<Output = T>) -> Result<T> {
        tokio::pin!(wait);
        let mut beats = self.pulse.beats();
        loop {
            tokio::select! {
                done = &mut wait => return beats.check().map(|()| done),
                beat = beats.next() => beat?,
            }
            sender.send(frame::ping()).await?;
            self.sent.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What a failed write means: the reading half knows how much reached nobody, unless the message was at fault.
    async fn verdict(&self, error: Error, receive: impl Future<Output = Option<Status>>) -> Option<Status> {
        match error.kind() {
            ErrorKind::ResourceExhausted | ErrorKind::Malformed => Some(error.into()),
            _ => tokio::select! {
                biased;
                ended = receive => ended,
                () = deadline(&self.context) => Some(too_late()),
                () = tokio::time::sleep(VERDICT) => Some(self.broken(&error)),
            },
        }
    }

    /// Feeds what is ready, and flushes before it waits for more.
    async fn send_items(&self, sender: &mut SocketSender, outgoing: &mut BodyStream) -> Result<(), Unsent> {
        loop {
            let item = match outgoing.next().now_or_never() {
                Some(item) => item,
                None => {
                    sender.flush().await?;
                    self.alive(sender, outgoing.next()).await?
                }
            };
            let Some(body) = item else { break };
            self.feed(sender, body?).await?;
        }
        if let Some(end) = self.end_of_requests() {
            sender.feed(end).await?;
            self.count_sent();
        }
        Ok(sender.flush().await?)
    }

    async fn feed(&self, sender: &mut SocketSender, body: Bytes) -> Result<()> {
        sender.feed(self.caller.message(body)?).await?;
        self.count_sent();
        Ok(())
    }

    /// Every message counts, whatever it says: an error's `undelivered` counts them all.
    fn count_sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// Hands on what comes; `None` when the stream ended well.
    async fn receive(&self, mut receiver: SocketReceiver) -> Option<Status> {
        while let Some(message) = receiver.next().await {
            self.pulse.heard();
            match message.map(|message| frame::from_server(message).event) {
                Ok(ServerEvent::Body { body, .. }) => self.items.send(Ok(body)).await.ok()?,
                Ok(ServerEvent::Pong) => {}
                Ok(ServerEvent::End) => return None,
                Ok(ServerEvent::Failed(status)) => return Some(status),
                Err(error) => return Some(self.broken(&error)),
            }
        }
        Some(Status::unavailable(
            "the peer closed the socket in the middle of the stream",
        ))
    }

    /// A socket that broke. When not one message reached anybody, the call has not run.
    fn broken(&self, error: &Error) -> Status {
        let status = match error.kind() {
            ErrorKind::Lagged(_) => Status::data_loss(error.to_string()),
            ErrorKind::Malformed => Status::internal(error.to_string()),
            ErrorKind::PermissionDenied => Status::permission_denied(error.to_string()),
            _ => Status::unavailable(error.to_string()),
        };
        let sent = self.sent.load(Ordering::Relaxed);
        if error.undelivered() > 0 && error.undelivered() >= sent {
            status.never_delivered()
        } else {
            status
        }
    }
}

/// Ends the answers. An error means that the caller has gone meanwhile.
async fn tell(items: mpsc::Sender<Result<Bytes, Status>>, ended: Option<Status>) {
    if let Some(status) = ended {
        items.send(Err(status)).await.ok();
    }
}

fn too_late() -> Status {
    Status::deadline_exceeded("the deadline passed")
}

async fn deadline(context: &Context) {
    match context.deadline() {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
