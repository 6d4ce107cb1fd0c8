//! One streaming call: a socket of its own, and a task that moves its messages both ways.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::{FutureExt, SinkExt, StreamExt};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::client::VERDICT;
use crate::client::pulse::Pulse;
use crate::error::{Error, ErrorKind};
use crate::message::Message;
use crate::rpc::credit::Credit;
use crate::rpc::frame::{self, Dialect, ServerEvent};
use crate::rpc::items::{Chunk, Items};
use crate::rpc::lane::{Lane, LaneSender, Sent, TOO_MUCH, Teller, lane};
use crate::rpc::pack::Pack;
use crate::rpc::{BodyStream, CallKind, Context, Filled, Request, Status};
use crate::selector::Entered;
use crate::transport::{Socket, SocketReceiver, SocketSender};

/// The answers of a stream. Dropping them early tells the peer, which cancels its handler.
pub(crate) struct Answers {
    items: Lane,
    _stop: DropGuard,
}

impl futures::Stream for Answers {
    type Item = Result<Chunk, Status>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.items.poll_next_unpin(cx)
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
    let caller = frame::Caller::new(&request, 0, dialect);
    let (items, receiver) = lane(capacity, caller.packs());
    let stop = CancellationToken::new();
    let call = Call {
        credit: caller.packs().then(Credit::new),
        caller,
        opening: frame::empty_request(&request.content_type),
        kind: request.kind,
        context: request.context,
        stop: stop.clone(),
        sent: AtomicUsize::new(0),
        dialect,
        pulse: Pulse::new(dialect),
        teller: items.teller(),
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
    /// What the server allows, and what it is allowed.
    credit: Option<Arc<Credit>>,
    teller: Teller,
    items: LaneSender,
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
            sender.feed(farewell).await.ok();
            sender.finish().await.ok();
        };
        let leave = tokio::time::timeout(VERDICT, leave);
        // First: the caller does not wait for a socket that is stalled.
        match ended {
            Some(status) => self.items.fail(status),
            None => drop(self.items),
        }
        leave.await.ok();
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
        match self.send_all(sender, &mut outgoing).await {
            Ok(()) => self
                .alive(sender, std::future::pending())
                .await
                .map_or_else(Unsent::from, |never: Infallible| match never {}),
            Err(unsent) => unsent,
        }
    }

    /// Waits, and tells the server meanwhile what it may send, or that it is still waited for.
    async fn alive<T>(&self, sender: &mut SocketSender, wait: impl Future<Output = T>) -> Result<T, Error> {
        tokio::pin!(wait);
        let mut beats = self.pulse.beats();
        loop {
            let word = tokio::select! {
                done = &mut wait => return beats.check().map(|()| done),
                amount = self.teller.due() => frame::credit(0, amount),
                beat = beats.next() => beat.map(|()| frame::ping())?,
            };
            sender.send(word).await?;
            self.count_sent();
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
    async fn send_all(&self, sender: &mut SocketSender, outgoing: &mut BodyStream) -> Result<(), Unsent> {
        self.feed(sender, self.caller.opening(self.opening.clone())?)
            .await?;
        let mut pack = Pack::new(self.credit.clone());
        loop {
            if let Some(amount) = self.teller.take_due() {
                self.feed(sender, frame::credit(0, amount)).await?;
            }
            let filled = match outgoing.fill(&mut pack).now_or_never() {
                Some(filled) => filled,
                None => {
                    sender.flush().await?;
                    self.alive(sender, outgoing.fill(&mut pack)).await?
                }
            };
            while let Some(chunk) = pack.take() {
                self.feed_items(sender, chunk).await?;
            }
            match filled {
                Filled::Some => {}
                Filled::End => break,
                Filled::Failed(status) => return Err(status.into()),
            }
        }
        if let Some(end) = self.end_of_requests() {
            self.feed(sender, end).await?;
        }
        Ok(sender.flush().await?)
    }

    /// A pack that is too large for the socket goes item by item.
    async fn feed_items(&self, sender: &mut SocketSender, chunk: Chunk) -> Result<(), Error> {
        let apart = chunk.pack().cloned();
        match (self.feed(sender, self.caller.items(chunk)?).await, apart) {
            (Err(error), Some(mut items)) if error.kind() == ErrorKind::ResourceExhausted => {
                while let Some(item) = items.next() {
                    self.feed(sender, self.caller.items(Chunk::One(item))?).await?;
                }
                Ok(())
            }
            (fed, _) => fed,
        }
    }

    async fn feed(&self, sender: &mut SocketSender, message: Message) -> Result<(), Error> {
        sender.feed(message).await?;
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
            let heard = match message {
                Ok(message) => self.hear(frame::from_server(message).event).await,
                Err(error) => Err(Some(self.broken(&error))),
            };
            if let Err(ended) = heard {
                return ended;
            }
        }
        Some(Status::unavailable(
            "the peer closed the socket in the middle of the stream",
        ))
    }

    /// Fails with how the stream ended, if it did.
    async fn hear(&self, event: ServerEvent) -> Result<(), Option<Status>> {
        match event {
            ServerEvent::Body { body, .. } => self.hand_on(Chunk::One(body)).await,
            ServerEvent::Items(body) => match Items::open(body) {
                Some(items) => self.hand_on(Chunk::Many(items)).await,
                None => Err(Some(Status::internal("a pack of items cannot be read"))),
            },
            ServerEvent::Credit(amount) => match (amount, &self.credit) {
                (Some(amount), Some(credit)) => {
                    credit.raise(amount);
                    Ok(())
                }
                _ => Err(Some(Status::internal(
                    "credit cannot be read, or was not asked for",
                ))),
            },
            ServerEvent::Pong => Ok(()),
            ServerEvent::End => Err(None),
            ServerEvent::Failed(status) => Err(Some(status)),
        }
    }

    async fn hand_on(&self, chunk: Chunk) -> Result<(), Option<Status>> {
        match self.items.send(chunk).await {
            Sent::Well => Ok(()),
            Sent::Unread => Err(None),
            Sent::TooMuch => Err(Some(Status::internal(TOO_MUCH))),
        }
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

fn too_late() -> Status {
    Status::deadline_exceeded("the deadline passed")
}

async fn deadline(context: &Context) {
    match context.deadline() {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
