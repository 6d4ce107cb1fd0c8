//! The task that reads a subscription.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_nats::{Message, Subscriber, UnsubscribeError};
use futures::{FutureExt, StreamExt};
use tokio::sync::mpsc;
use tokio::task::unconstrained;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use crate::consumer::{Consumer, Incoming};
use crate::polling::Traffic;
use crate::steps::Step;

/// How many messages are handed on before the task looks up.
const BATCH: usize = 64;

/// How long the client may take to be told something. While it connects again it takes no more than fits into its queue.
const TOLD: Duration = Duration::from_secs(2);

/// Hands on what comes, as soon as it comes.
pub(crate) struct Reader {
    pub(crate) subscriber: Subscriber,
    pub(crate) consumer: Arc<dyn Consumer>,
    pub(crate) received: Arc<AtomicU64>,
    pub(crate) traffic: Arc<Traffic>,
}

impl Reader {
    pub(crate) async fn run(mut self, mut steps: mpsc::Receiver<Step>) {
        while let Some(step) = poll_fn(|context| self.poll_hand_on(&mut steps, context)).await {
            self.step(step).await;
        }
        self.consumer.take(Incoming::Ended);
    }

    /// Hands on what comes, until there is a step to be taken; `None` at the end.
    fn poll_hand_on(
        &mut self,
        steps: &mut mpsc::Receiver<Step>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Step>> {
        loop {
            let came = self.poll_batch(context);
            // Once nobody is left who could ask for a step, there is only reading.
            if let Poll::Ready(Some(step)) = steps.poll_recv(context) {
                return Poll::Ready(Some(step));
            }
            if ready!(came).is_none() {
                return Poll::Ready(None);
            }
        }
    }

    /// Hands on what has come. Ready after a batch: under load there is always a message, and steps must not wait for
    /// the last.
    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Option<()>> {
        for _ in 0..BATCH {
            match ready!(self.subscriber.poll_next_unpin(context)) {
                Some(message) => self.hand_on(message),
                None => return Poll::Ready(None),
            }
        }
        Poll::Ready(Some(()))
    }

    fn hand_on(&self, message: Message) {
        self.received.fetch_add(1, Ordering::Relaxed);
        self.traffic.note();
        self.consumer.take(Incoming::Message(message));
    }

    /// Hands on what the client has received, without regard to the task's budget: it would hide some of it.
    fn hand_on_what_came(&mut self) {
        while let Some(Some(message)) = unconstrained(self.subscriber.next()).now_or_never() {
            self.hand_on(message);
        }
    }

    async fn step(&mut self, step: Step) {
        let done = match step {
            Step::CatchUp(done) => {
                self.hand_on_what_came();
                done
            }
            Step::After(count, done) => {
                note(timeout(TOLD, self.subscriber.unsubscribe_after(count)).await);
                done
            }
            Step::Drain(done) => {
                note(timeout(TOLD, self.subscriber.drain()).await);
                done
            }
        };
        // Who stopped waiting does not care.
        let _ = done.send(());
    }
}

fn note(taken: Result<Result<(), UnsubscribeError>, Elapsed>) {
    match taken {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "the connection has ended before its subscription"),
        Err(_) => {
            tracing::debug!("the connection is away or stalled: its subscription cannot be ended in order")
        }
    }
}
