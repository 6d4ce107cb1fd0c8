//! One task for each shared socket: it writes what callers queue, and hands answers to the table.

use std::sync::Arc;
use std::time::Duration;

use futures::{SinkExt, StreamExt};

use crate::client::VERDICT;
use crate::client::clock::Clock;
use crate::client::in_flight::{InFlight, Work};
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::rpc::Status;
use crate::rpc::frame::{self, Dialect};
use crate::transport::{Socket, SocketReceiver, SocketSender};

/// Reads and writes side by side: reading never waits for writing, so that two ends that both write cannot stall.
pub(crate) async fn drive(socket: Socket, table: Arc<InFlight>, dialect: Dialect, idle: Duration) {
    let (sender, receiver) = socket.split();
    let mut ending = Ending {
        table: &table,
        error: Error::new(ErrorKind::Unavailable, "the socket's driver is gone"),
    };
    let writer = Writer {
        sender,
        table: &table,
    };
    let read = read(receiver, &table);
    tokio::pin!(read);
    ending.error = tokio::select! {
        biased;
        error = &mut read => error,
        end = writer.run() => match end {
            End::Idle(error) => error,
            // What cannot be written to has ended, and the reading half knows how much of it reached nobody.
            End::Broken(error) => tokio::time::timeout(VERDICT, read).await.unwrap_or(error),
        },
        () = Clock::new(&table, dialect, idle).run() => return,
    };
}

/// Whichever way the driver ends, no call waits for ever.
struct Ending<'a> {
    table: &'a InFlight,
    error: Error,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.table.fail_all(&self.error);
    }
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

struct Writer<'a> {
    sender: SocketSender,
    table: &'a InFlight,
}

/// Why a writer ended.
enum End {
    Idle(Error),
    Broken(Error),
}

impl Writer<'_> {
    /// Ends when the socket breaks, or nobody has called for a while.
    async fn run(mut self) -> End {
        loop {
            std::future::poll_fn(|cx| self.table.poll_work(cx)).await;
            if self.table.is_busy() {
                // Whoever is about to call, too, shares the flush.
                tokio::task::yield_now().await;
            }
            match self.write_ready().await {
                Ok(false) => {}
                Ok(true) => return End::Idle(self.retire().await),
                Err(error) => return End::Broken(error),
            }
        }
    }

    /// Feeds all that is ready and flushes once. True when nothing more will come.
    async fn write_ready(&mut self) -> Result<bool> {
        while let Some(work) = self.table.next_work() {
            match work {
                Work::Call(id, message) => self.feed(id, message).await?,
                Work::Cancel(id) => self.say(frame::cancel(id)).await?,
                Work::Ping => self.say(frame::ping()).await?,
                Work::Retire => return Ok(true),
            }
        }
        self.sender.flush().await?;
        Ok(false)
    }

    /// A request that is too large fails alone; whatever else goes wrong is the end of the socket.
    async fn feed(&mut self, id: u64, message: Message) -> Result<()> {
        let Err(error) = self.sender.feed(message).await else {
            return Ok(());
        };
        self.table.mark_unsent();
        if error.kind() != ErrorKind::ResourceExhausted {
            return Err(error);
        }
        self.table.refuse(id, Status::from(error).never_delivered());
        Ok(())
    }

    async fn say(&mut self, message: Message) -> Result<()> {
        self.sender.feed(message).await?;
        self.table.mark_other_sent();
        Ok(())
    }

    /// Closes the socket. A call that comes meanwhile finds the table ended, and is made on a new one.
    async fn retire(mut self) -> Error {
        let idle = Error::new(ErrorKind::Unavailable, "the socket was idle");
        self.sender.finish().await.err().unwrap_or(idle)
    }
}
