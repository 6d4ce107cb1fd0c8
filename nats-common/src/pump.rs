//! One subscription, read eagerly by a task of its own.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use async_nats::Subscriber;
use micro_core::{Error, Result};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::connection::Connection;
use crate::consumer::Consumer;
use crate::courier::{Order, Subscribe, Subscribed};
use crate::errors;
use crate::outbox::{self, Outbox};
use crate::reader::Reader;
use crate::steps::{self, Step, Steps};
use crate::switchboard::Switchboard;

/// How many round trips a refusal gets to make its way through this process.
const ROUNDS: usize = 4;

/// A subscription whose messages go to a [`Consumer`]. It holds its connection.
///
/// Dropping it unsubscribes; the consumer gets nothing more once the task that reads has noticed.
pub struct Pump {
    pub(crate) subject: String,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) task: JoinHandle<()>,
    pub(crate) steps: Steps,
    pub(crate) received: Arc<AtomicU64>,
    /// The number of disconnects when it was made.
    pub(crate) since: u64,
    entry: Entry,
    /// Without it nothing would come; the connection's own inbox is held by it instead.
    #[allow(dead_code, reason = "held for its drop")]
    connection: Option<Arc<Connection>>,
}

impl Pump {
    /// What it is subscribed to.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns when the consumer has everything that this process had received for it.
    ///
    /// Two subscriptions are read by two tasks. Who got an answer on one of them, and wants to have what the server
    /// sent ahead of it on the other, waits for this.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn catch_up(&self) {
        self.steps.take(Step::CatchUp).await;
    }

    /// Returns when nothing more will come, because it was left or the connection has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn ended(&mut self) {
        if !self.task.is_finished() {
            // Whether it ended well is not asked here.
            let _ = (&mut self.task).await;
        }
    }

    /// Subscribes, and returns when the server has done it.
    pub(crate) async fn open(
        outbox: Arc<Outbox>,
        subject: &str,
        queue: Option<&str>,
        consumer: Arc<dyn Consumer>,
    ) -> Result<Pump> {
        let entry = Entry::new(&outbox.board, subject, queue, consumer.clone());
        let since = *outbox.board.disconnects().borrow();
        let Subscribed { sid, subscriber } = order(&outbox, subject, queue).await?;
        outbox.board.set_sid(entry.number, sid);
        let pump = Pump::start(outbox, subject, subscriber, consumer, entry, since);
        pump.settle().await?;
        Ok(pump)
    }

    fn start(
        outbox: Arc<Outbox>,
        subject: &str,
        subscriber: Subscriber,
        consumer: Arc<dyn Consumer>,
        entry: Entry,
        since: u64,
    ) -> Pump {
        let received = Arc::new(AtomicU64::new(0));
        let (steps, asked) = steps::channel();
        let reader = Reader {
            subscriber,
            consumer,
            received: received.clone(),
            traffic: outbox.traffic.clone(),
        };
        Pump {
            subject: subject.to_owned(),
            outbox,
            task: tokio::spawn(reader.run(asked)),
            steps,
            received,
            since,
            entry,
            connection: None,
        }
    }

    /// Returns when the server has the subscription, or has said why not.
    ///
    /// A refusal comes in before the fence, but on another way through this process; more fences give it
    /// the time. Should it be slower still, the consumer learns of it.
    async fn settle(&self) -> Result<()> {
        for _ in 0..ROUNDS {
            outbox::fence(&self.outbox).await?;
            if let Some(error) = self.denial() {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Takes nothing more, and lets go of the consumer: who waits for what it hands on must not wait for ever.
    pub(crate) fn give_up(&self) {
        self.task.abort();
        self.entry.remove();
    }

    fn denial(&self) -> Option<Error> {
        self.outbox.board.denial(self.entry.number)
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Pump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pump")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// The subscription's entry in the switchboard.
struct Entry {
    number: u64,
    board: Arc<Switchboard>,
}

impl Entry {
    fn new(
        board: &Arc<Switchboard>,
        subject: &str,
        queue: Option<&str>,
        consumer: Arc<dyn Consumer>,
    ) -> Self {
        Entry {
            number: board.add_subscription(subject, queue, consumer),
            board: board.clone(),
        }
    }

    fn remove(&self) {
        self.board.remove_subscription(self.number);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.remove();
    }
}

async fn order(outbox: &Outbox, subject: &str, queue: Option<&str>) -> Result<Subscribed> {
    let (answer, answered) = oneshot::channel();
    let order = Order::Subscribe(Subscribe {
        subject: subject.to_owned(),
        queue: queue.map(str::to_owned),
        answer,
    });
    outbox.orders.send(order).map_err(|_| errors::ended())?;
    let made = tokio::time::timeout(outbox::PUBLISH_LIMIT, answered).await;
    made.map_err(|_| outbox.not_connected())?
        .map_err(|_| errors::ended())?
}

impl Connection {
    /// Subscribes, and hands what comes to `consumer`. When this returns, the next message reaches it.
    ///
    /// The consumer is told of [`Incoming::Disconnected`](crate::Incoming::Disconnected) and
    /// [`Incoming::Denied`](crate::Incoming::Denied) also between messages, so it
    /// may hear of a loss before the last messages that came ahead of it.
    ///
    /// # Errors
    /// [`InvalidArgument`](micro_core::ErrorKind::InvalidArgument) for an illegal subject or queue name,
    /// [`PermissionDenied`](micro_core::ErrorKind::PermissionDenied) when the server refuses it,
    /// [`Unavailable`](micro_core::ErrorKind::Unavailable) when the connection is down for 5 s, or was lost
    /// meanwhile.
    ///
    /// # Cancel safety
    /// Dropping the future leaves no subscription behind.
    pub async fn pump(
        self: &Arc<Self>,
        subject: &str,
        queue: Option<&str>,
        consumer: Arc<dyn Consumer>,
    ) -> Result<Pump> {
        let opened = Pump::open(self.outbox().clone(), subject, queue, consumer).await;
        let mut pump =
            opened.map_err(|error| error.with_operation("subscribe").with_context("subject", subject))?;
        pump.connection = Some(self.clone());
        Ok(pump)
    }
}
