//! One task for each socket: it writes what callers queue, and hands answers to the table.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::sync::mpsc;

use crate::client::VERDICT;
use crate::client::in_flight::InFlight;
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::rpc::frame::Dialect;
use crate::rpc::{Request, Response, Status, frame};
use crate::transport::{Socket, SocketReceiver, SocketSender};

/// How many requests wait for the writer before callers wait for it.
const QUEUE: usize = 1024;

/// After how long a go-micro server that owes an answer is asked whether it is there. When it is gone, all calls to it
/// end at once, instead of at their deadlines.
const DOUBT: Duration = Duration::from_secs(1);

/// A go-micro server forgets a socket after 60 s without a message, and loses what comes while it does. What is idle
/// for one to two times this long is closed before.
const IDLE_GO_MICRO: Duration = Duration::from_secs(25);

/// A socket that all unary calls to one node share. Dropping the last handle ends it.
#[derive(Debug)]
pub(crate) struct Connection {
    requests: mpsc::Sender<Outgoing>,
    table: Arc<InFlight>,
    dialect: Dialect,
    retired: Arc<AtomicBool>,
    driver: tokio::task::AbortHandle,
}

#[derive(Debug)]
struct Outgoing {
    id: u64,
    message: Message,
}

impl Connection {
    /// Takes over a socket. Ends after `idle` without a call.
    pub(crate) fn new(socket: Socket, dialect: Dialect, limit: usize, idle: Duration) -> Self {
        let (requests, queue) = mpsc::channel(QUEUE);
        let (table, gone) = InFlight::new(limit);
        let (sender, receiver) = socket.split();
        let idle = match dialect {
            Dialect::Ours => idle,
            Dialect::GoMicro => idle.min(IDLE_GO_MICRO),
        };
        let retired = Arc::new(AtomicBool::new(false));
        let writer = Writer {
            sender,
            table: table.clone(),
            queue,
            gone,
            dialect,
            idle,
            retired: retired.clone(),
        };
        let driver = tokio::spawn(drive(writer, receiver, table.clone())).abort_handle();
        Connection {
            requests,
            table,
            dialect,
            retired,
            driver,
        }
    }

    /// Makes one unary call. Dropping the future cancels it at the other end.
    pub(crate) async fn call(&self, request: Request) -> Result<Response, Status> {
        let waiting = self.table.begin()?;
        let id = waiting.id;
        let body = match &request.body {
            crate::rpc::Body::One(body) => body.clone(),
            crate::rpc::Body::Many(_) => bytes::Bytes::new(),
        };
        let message = frame::request(&request, id, self.dialect, body)?;
        let queued = self
            .requests
            .send(Outgoing {
                id: waiting.id,
                message,
            })
            .await;
        if queued.is_err() {
            return Err(Status::unavailable("the socket has ended").never_delivered());
        }
        waiting.answer().await
    }

    /// Whether it ended because nobody had called for a while, so that its peer is as good as before.
    pub(crate) fn has_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// Whether a call made now would find it ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.requests.is_closed()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Reads and writes side by side: reading never waits for writing, so that two ends that both write cannot stall.
async fn drive(writer: Writer, receiver: SocketReceiver, table: Arc<InFlight>) {
    let read = read(receiver, &table);
    tokio::pin!(read);
    let error = tokio::select! {
        error = &mut read => error,
        end = writer.run() => match end {
            End::Idle(error) => error,
            // What cannot be written to has ended, and the reading half knows how much of it reached nobody.
            End::Broken(error) => tokio::time::timeout(VERDICT, read).await.unwrap_or(error),
        },
    };
    table.fail_all(&error);
}

/// Why a writer ended.
enum End {
    Idle(Error),
    Broken(Error),
}

async fn read(mut receiver: SocketReceiver, table: &InFlight) -> Error {
    while let Some(message) = receiver.next().await {
        match message {
            Ok(message) => table.complete(frame::from_server(message)),
            Err(error) if error.kind() == ErrorKind::Malformed => {
                tracing::debug!(%error, peer = %receiver.remote(), "an unreadable message was ignored");
            }
            Err(error) => return error,
        }
    }
    Error::new(ErrorKind::Unavailable, "the peer closed the socket").with_context("peer", receiver.remote())
}

struct Writer {
    sender: SocketSender,
    table: Arc<InFlight>,
    queue: mpsc::Receiver<Outgoing>,
    gone: mpsc::UnboundedReceiver<u64>,
    dialect: Dialect,
    idle: Duration,
    retired: Arc<AtomicBool>,
}

impl Writer {
    /// Feeds all that is ready and flushes once; ends when the socket breaks, or nobody has called for a while.
    async fn run(mut self) -> End {
        let mut idle = tokio::time::interval(self.idle);
        idle.reset();
        let mut doubt = tokio::time::interval(DOUBT);
        let mut heard = None;
        let mut used = false;
        loop {
            let done = tokio::select! {
                Some(request) = self.queue.recv() => {
                    used = true;
                    self.feed_ready(request).await
                }
                Some(id) = self.gone.recv() => self.cancel(id).await,
                _ = doubt.tick(), if !self.dialect.is_ours() => {
                    let before = std::mem::replace(&mut heard, self.table.heard_while_waiting());
                    match heard.is_some() && heard == before {
                        true => self.ping().await,
                        false => Ok(()),
                    }
                }
                _ = idle.tick() => {
                    if !used && self.table.len() == 0 {
                        return End::Idle(self.retire().await);
                    }
                    used = false;
                    Ok(())
                }
            };
            if let Err(error) = done {
                return End::Broken(error);
            }
        }
    }

    async fn feed_ready(&mut self, first: Outgoing) -> Result<()> {
        self.feed(first).await?;
        while let Ok(request) = self.queue.try_recv() {
            self.feed(request).await?;
        }
        self.sender.flush().await
    }

    /// A request that is too large fails alone; whatever else goes wrong is the end of the socket.
    async fn feed(&mut self, request: Outgoing) -> Result<()> {
        if !self.table.mark_sent(request.id) {
            return Ok(());
        }
        let Err(error) = self.sender.feed(request.message).await else {
            return Ok(());
        };
        self.table.mark_unsent(request.id);
        if error.kind() != ErrorKind::ResourceExhausted {
            return Err(error);
        }
        self.table
            .refuse(request.id, Status::from(error).never_delivered());
        Ok(())
    }

    async fn cancel(&mut self, id: u64) -> Result<()> {
        if !self.dialect.is_ours() {
            return Ok(());
        }
        self.sender.send(frame::cancel(id)).await?;
        self.table.mark_other_sent();
        Ok(())
    }

    async fn ping(&mut self) -> Result<()> {
        self.sender.send(frame::ping()).await?;
        self.table.mark_other_sent();
        Ok(())
    }

    /// Closes the socket. Calls that were queued meanwhile were never sent, and are made again on a new one.
    async fn retire(mut self) -> Error {
        self.retired.store(true, Ordering::Release);
        self.queue.close();
        let idle = Error::new(ErrorKind::Unavailable, "the socket was idle");
        self.sender.finish().await.err().unwrap_or(idle)
    }
}
