//! The answers of one socket, on their way out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::SinkExt;
use tokio::sync::{Notify, mpsc};

use crate::error::{ErrorKind, Result};
use crate::message::Message;
use crate::rpc::Status;
use crate::rpc::frame::ReplyTo;
use crate::transport::SocketSender;

/// How many answers wait for the writer before handlers wait for it.
const CAPACITY: usize = 256;

/// Where the answers of one socket wait for its writer.
pub(super) type Outbox = mpsc::Sender<Answer>;

/// A queue for the answers of one socket.
pub(super) fn outbox() -> (Outbox, mpsc::Receiver<Answer>) {
    mpsc::channel(CAPACITY)
}

/// Whom a call is answered to.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) reply: ReplyTo,
    gone: AtomicBool,
    leaving: Notify,
}

impl Caller {
    pub(super) fn new(reply: ReplyTo) -> Arc<Self> {
        Arc::new(Caller {
            reply,
            gone: AtomicBool::new(false),
            leaving: Notify::new(),
        })
    }

    pub(super) fn answer(self: Arc<Self>, message: Message) -> Answer {
        Answer {
            message,
            caller: self,
        }
    }

    /// Notes that whatever else is answered reaches nobody, so that it is neither made nor sent.
    pub(super) fn leave(&self) {
        self.gone.store(true, Ordering::Release);
        self.leaving.notify_one();
    }

    /// Waits until it has left. For one task.
    pub(super) async fn left(&self) {
        while !self.has_left() {
            self.leaving.notified().await;
        }
    }

    fn has_left(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }
}

/// One message on its way to a caller.
#[derive(Debug)]
pub(super) struct Answer {
    message: Message,
    caller: Arc<Caller>,
}

/// Feeds all that is ready, and flushes once.
pub(super) async fn write(mut sender: SocketSender, mut answers: mpsc::Receiver<Answer>) {
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
    first: Answer,
    more: &mut mpsc::Receiver<Answer>,
) -> Result<()> {
    feed(sender, first).await?;
    while let Ok(answer) = more.try_recv() {
        feed(sender, answer).await?;
    }
    sender.flush().await
}

/// An answer that is too large ends its call alone; whatever else goes wrong is the end of the socket.
async fn feed(sender: &mut SocketSender, answer: Answer) -> Result<()> {
    let Answer { message, caller } = answer;
    if caller.has_left() {
        return Ok(());
    }
    match sender.feed(message).await {
        Err(error) if error.kind() == ErrorKind::ResourceExhausted => {
            caller.leave();
            sender.feed(caller.reply.failure(&Status::from(error))).await
        }
        result => result,
    }
}
