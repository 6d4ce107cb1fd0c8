//! The answers of one socket, on their way out.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker, ready};

use futures::Sink;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::error::{ErrorKind, Result};
use crate::message::Message;
use crate::rpc::Status;
use crate::rpc::frame::ReplyTo;
use crate::rpc::items::{Chunk, Items};
use crate::transport::SocketSender;

mod queue;

pub(super) use queue::Outbox;
use queue::Queue;

/// How many answers are fed before they are flushed, though more are ready: their callers go on meanwhile.
pub(super) const BATCH: usize = 32;

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

    pub(super) fn answer(self: Arc<Self>, message: Message) -> Box<Answer> {
        Box::new(Answer {
            message,
            apart: None,
            caller: self,
        })
    }

    /// Items of a stream.
    pub(super) fn items(self: Arc<Self>, chunk: Chunk) -> Result<Box<Answer>> {
        Ok(Box::new(Answer {
            apart: chunk.pack().cloned(),
            message: self.reply.items(chunk)?,
            caller: self,
        }))
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
    /// Items that travel alone where the pack of them is too large for the socket.
    apart: Option<Items>,
    caller: Arc<Caller>,
}

/// Feeds answers to one socket: those of handlers that were done at once as they come, all others through a queue.
///
/// Never locked for longer than a message takes, and by the task of the socket alone.
pub(super) struct Writer(Mutex<Feed>);

struct Feed {
    sender: SocketSender,
    queue: Queue,
    /// Taken from the queue while the socket had no room.
    next: Option<Box<Answer>>,
    /// Items that were too large together, before all that is in the queue.
    apart: Option<(Items, Arc<Caller>)>,
    /// How many messages were fed since the last flush.
    fed: usize,
}

impl Writer {
    pub(super) fn new(sender: SocketSender) -> Self {
        Writer(Mutex::new(Feed {
            sender,
            queue: Queue::Unused,
            next: None,
            apart: None,
            fed: 0,
        }))
    }

    /// The queue that it feeds from. [`run`](Writer::run) is to be polled after this, by the same task.
    pub(super) fn outbox(&self) -> Outbox {
        self.0.lock().queue.outbox()
    }

    /// Notes that no more calls come: when those that run are answered, there is nothing left to write. Likewise,
    /// [`run`](Writer::run) is to be polled after this.
    pub(super) fn finish(&self) {
        self.0.lock().queue.finish();
    }

    /// Whether an answer could be fed now.
    pub(super) fn has_room(&self) -> bool {
        let mut feed = self.0.lock();
        // Nobody waits for room here, and an error is met again by `run`.
        let nobody = &mut Context::from_waker(Waker::noop());
        feed.next.is_none() && matches!(feed.sender().poll_ready(nobody), Poll::Ready(Ok(())))
    }

    /// Waits until the peer reads no answers any more.
    pub(super) fn closed(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.0.lock().sender.closed()
    }

    /// Feeds an answer for which there [is room](Writer::has_room). It leaves when [`run`](Writer::run) is polled next, or
    /// before.
    pub(super) fn feed(&self, message: Message, reply: &ReplyTo) {
        let mut feed = self.0.lock();
        let fed = match feed.put(message) {
            Err(error) if error.kind() == ErrorKind::ResourceExhausted => {
                feed.put(reply.failure(&Status::from(error)))
            }
            fed => fed,
        };
        if let Err(error) = fed {
            // `run` meets it, too, and ends the socket.
            tracing::debug!(%error, "an answer could not be sent");
        } else if feed.fed >= BATCH {
            let _ = feed.poll_flush(&mut Context::from_waker(Waker::noop()));
        }
    }

    /// Writes until it is [finished](Writer::finish) and the last handle of the queue is gone, and then closes the socket, or
    /// until the socket breaks.
    pub(super) async fn run(&self) {
        let written = std::future::poll_fn(|cx| self.0.lock().poll_write(cx)).await;
        let closed = match written {
            Ok(()) => std::future::poll_fn(|cx| self.0.lock().sender().poll_close(cx)).await,
            Err(error) => Err(error),
        };
        if let Err(error) = closed {
            let peer = self.0.lock().sender.remote().clone();
            tracing::debug!(%error, %peer, "answers could not be sent");
        }
    }
}

impl Feed {
    fn sender(&mut self) -> Pin<&mut SocketSender> {
        Pin::new(&mut self.sender)
    }

    /// Feeds all that is ready, and flushes once.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        loop {
            if self.next.is_none() {
                self.next = self.next_apart()?;
            }
            if self.next.is_none() {
                match self.queue.poll_next(cx) {
                    Poll::Ready(None) => return self.poll_flush(cx),
                    Poll::Ready(answer) => self.next = answer,
                    Poll::Pending => {
                        ready!(self.poll_flush(cx))?;
                        return Poll::Pending;
                    }
                }
            }
            ready!(self.sender().poll_ready(cx))?;
            if let Some(answer) = self.next.take() {
                self.answer(*answer)?;
            }
        }
    }

    fn next_apart(&mut self) -> Result<Option<Box<Answer>>> {
        let Some((items, caller)) = &mut self.apart else {
            return Ok(None);
        };
        let Some(item) = items.next() else {
            self.apart = None;
            return Ok(None);
        };
        caller.clone().items(Chunk::One(item)).map(Some)
    }

    /// A pack that is too large goes item by item, and an answer that is ends its call alone; whatever else goes wrong is
    /// the end of the socket.
    fn answer(&mut self, answer: Answer) -> Result<()> {
        let Answer {
            message,
            apart,
            caller,
        } = answer;
        if caller.has_left() {
            return Ok(());
        }
        match self.put(message) {
            Err(error) if error.kind() == ErrorKind::ResourceExhausted => {
                if let Some(items) = apart {
                    self.apart = Some((items, caller));
                    return Ok(());
                }
                caller.leave();
                self.put(caller.reply.failure(&Status::from(error)))
            }
            put => put,
        }
    }

    fn put(&mut self, message: Message) -> Result<()> {
        self.sender().start_send(message)?;
        self.fed += 1;
        Ok(())
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if self.fed > 0 {
            ready!(self.sender().poll_flush(cx))?;
            self.fed = 0;
        }
        Poll::Ready(Ok(()))
    }
}
