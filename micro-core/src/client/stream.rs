//! One streaming call: a socket of its own, and a task that moves its messages both ways.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::client::VERDICT;
use crate::client::pulse::Pulse;
use crate::error::{Error, ErrorKind};
use crate::message::Message;
use crate::rpc::credit::Credit;
use crate::rpc::frame::{self, Dialect};
use crate::rpc::items::Chunk;
use crate::rpc::lane::{Lane, LaneSender, Teller, lane};
use crate::rpc::{BodyStream, CallKind, Context, Request, Status};
use crate::selector::Entered;
use crate::transport::Socket;

mod receiving;
mod sending;

use sending::Unsent;

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
