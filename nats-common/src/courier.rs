//! The connection's own task: does what those who may not wait have left for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_nats::{Client, SubscribeError, SubscribeErrorKind, Subscriber};
use micro_core::{Error, ErrorKind, Result};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::errors;
use crate::outbox::{Outbox, Outgoing};
use crate::polling::Traffic;
use crate::switchboard::Switchboard;

/// How often the courier looks for a reconnect that no event told of.
const TICK: Duration = Duration::from_secs(1);

/// How long the last words of a connection may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// Something to be done by the courier.
pub(crate) enum Order {
    /// Publish, however long it takes until there is room.
    Publish(Outgoing),
    /// Publish what a source has, however long it takes until there is room.
    Drain(Arc<dyn Source>),
    /// Subscribe.
    Subscribe(Subscribe),
}

/// Has messages that wait for room. See [`Connection::publish_from`](crate::Connection::publish_from).
pub trait Source: Send + Sync + 'static {
    /// The next message, at the moment when there is a connection for it; `None` ends it.
    fn next(&self) -> Option<Outgoing>;
}

/// A subscription to be made.
pub(crate) struct Subscribe {
    pub(crate) subject: String,
    pub(crate) queue: Option<String>,
    pub(crate) answer: oneshot::Sender<Result<Subscribed>>,
}

/// A subscription that was made.
pub(crate) struct Subscribed {
    /// The NATS client's number of it, by which its events name it.
    pub(crate) sid: u64,
    pub(crate) subscriber: Subscriber,
}

/// Runs until the last [`Outbox`] is gone, and then for [`FAREWELL`] at most.
pub(crate) struct Courier {
    way: Outbox,
    orders: mpsc::UnboundedReceiver<Order>,
    next_sid: u64,
}

impl Courier {
    /// The outbox, and the courier who works for it.
    pub(crate) fn new(client: Client, board: Arc<Switchboard>, traffic: Arc<Traffic>) -> (Outbox, Courier) {
        let (sender, orders) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        // The courier's own way out has no orders: holding the sender would keep it running for ever.
        let (nowhere, _) = mpsc::unbounded_channel();
        let outbox = |orders| Outbox {
            client: client.clone(),
            board: board.clone(),
            orders,
            waiting: waiting.clone(),
            traffic: traffic.clone(),
        };
        let courier = Courier {
            way: outbox(nowhere),
            orders,
            // The NATS client numbers subscriptions from one, and nobody else subscribes on it.
            next_sid: 1,
        };
        (outbox(sender), courier)
    }

    pub(crate) async fn run(mut self) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(order) => self.carry_out(order).await,
                    None => break,
                },
                _ = tick.tick() => self.look_around(),
            }
        }
        // The client's task ends with its last handle, and then throws away what it has not written.
        let _ = timeout(FAREWELL, self.way.client.flush()).await;
    }

    fn look_around(&self) {
        let connects = &self.way.client.statistics().connects;
        self.way.board.reconcile(connects.load(Ordering::Relaxed));
    }

    async fn carry_out(&mut self, order: Order) {
        match order {
            Order::Publish(outgoing) => {
                if let Err(error) = self.publish(outgoing).await {
                    tracing::debug!(%error, "not published");
                }
                self.way.waiting.fetch_sub(1, Ordering::AcqRel);
            }
            Order::Drain(source) => {
                self.drain(&*source).await;
                self.way.waiting.fetch_sub(1, Ordering::AcqRel);
            }
            Order::Subscribe(order) => self.subscribe(order).await,
        }
    }

    async fn drain(&self, source: &dyn Source) {
        loop {
            if self.orders.is_closed() {
                let connected = timeout(FAREWELL, self.way.until_connected());
                let _ = connected.await;
            } else {
                self.way.until_connected().await;
            }
            let Some(outgoing) = source.next() else { return };
            if let Err(error) = self.publish(outgoing).await {
                tracing::debug!(%error, "not published");
            }
        }
    }

    /// While nobody holds the connection any more, it is not worth waiting for either.
    async fn publish(&self, outgoing: Outgoing) -> Result<()> {
        let publish = self.way.publish_when_connected(outgoing);
        if self.orders.is_closed() {
            return timeout(FAREWELL, publish)
                .await
                .unwrap_or_else(|_| Err(self.way.not_connected()));
        }
        publish.await
    }

    async fn subscribe(&mut self, order: Subscribe) {
        // Who does not wait any more does not want it.
        if order.answer.is_closed() {
            return;
        }
        let client = &self.way.client;
        let made = match order.queue {
            Some(queue) => client.queue_subscribe(order.subject.clone(), queue).await,
            None => client.subscribe(order.subject.clone()).await,
        };
        let made = made.map(|subscriber| Subscribed {
            sid: self.next_sid,
            subscriber,
        });
        if made.is_ok() {
            self.next_sid += 1;
        }
        // A subscriber that nobody takes unsubscribes when it is dropped here.
        let _ = order
            .answer
            .send(made.map_err(|error| refused(&error, &order.subject)));
    }
}

fn refused(error: &SubscribeError, subject: &str) -> Error {
    match error.kind() {
        SubscribeErrorKind::InvalidSubject => errors::illegal_subject(subject),
        SubscribeErrorKind::InvalidQueueName => Error::new(
            ErrorKind::InvalidArgument,
            "the name of a queue group is not empty and has no white space",
        ),
        SubscribeErrorKind::Other => errors::ended(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_illegal_subject_is_invalid_argument() {
        let error = SubscribeError::new(SubscribeErrorKind::InvalidSubject);
        assert_eq!(refused(&error, "a..b").kind(), ErrorKind::InvalidArgument);
    }
}
