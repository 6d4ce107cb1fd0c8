//! The task that reads a subscription.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_nats::{Message, Subscriber, UnsubscribeError};
use futures::{FutureExt, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::unconstrained;

use crate::consumer::{Consumer, Incoming};

/// How many messages are handed on before the task looks up.
const BATCH: usize = 64;

/// What the task that reads is asked to do beside reading.
pub(crate) enum Step {
    /// The server sends no more when it has sent this many; say when it is asked to.
    After(u64, oneshot::Sender<()>),
    /// The server sends no more; what it sent comes in, as far as the client lets it.
    Drain,
    /// Say when everything has been handed on that the client has received.
    CatchUp(oneshot::Sender<()>),
}

/// Hands on what comes, as soon as it comes.
pub(crate) struct Reader {
    pub(crate) subscriber: Subscriber,
    pub(crate) consumer: Arc<dyn Consumer>,
    pub(crate) received: Arc<AtomicU64>,
}

impl Reader {
    pub(crate) async fn run(mut self, mut steps: mpsc::Receiver<Step>) {
        loop {
            tokio::select! {
                // Steps first: under load there is always a message.
                biased;
                Some(step) = steps.recv() => self.step(step).await,
                message = self.subscriber.next() => match message {
                    Some(message) => self.hand_on(message),
                    None => break,
                },
            }
        }
        self.consumer.take(Incoming::Ended);
    }

    /// Hands on a message, and those that came with it.
    fn hand_on(&mut self, message: Message) {
        let mut next = Some(message);
        for left in (0..BATCH).rev() {
            let Some(message) = next else { return };
            self.received.fetch_add(1, Ordering::Relaxed);
            self.consumer.take(Incoming::Message(message));
            let more = (left > 0).then(|| self.subscriber.next().now_or_never());
            next = more.flatten().flatten();
        }
    }

    /// Hands on what the client has received, without regard to the task's budget: it would hide some of it.
    fn hand_on_what_came(&mut self) {
        while let Some(Some(message)) = unconstrained(self.subscriber.next()).now_or_never() {
            self.hand_on(message);
        }
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::CatchUp(done) => {
                self.hand_on_what_came();
                // Who stopped waiting does not care.
                let _ = done.send(());
            }
            Step::After(count, done) => {
                note(self.subscriber.unsubscribe_after(count).await);
                let _ = done.send(());
            }
            Step::Drain => note(self.subscriber.drain().await),
        }
    }
}

fn note(taken: std::result::Result<(), UnsubscribeError>) {
    if let Err(error) = taken {
        tracing::debug!(%error, "the connection has ended before its subscription");
    }
}
