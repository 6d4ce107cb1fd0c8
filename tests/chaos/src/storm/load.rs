//! Callers that make calls of all kinds, each with a deadline that they hold the framework to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream;
use micro::{Broker as _, Message, Status, Streaming};
use tokio::time::{sleep, timeout};

use super::caller::Stack;
use super::tally::Tally;
use crate::interface::{EVENTS, Task, WorkClient};

/// Deadlines, in milliseconds.
const DEADLINES: std::ops::Range<u64> = 20..3000;

/// How long callers pause between two calls at most, in milliseconds.
const PAUSES: std::ops::Range<u64> = 0..60;

/// A call that has not ended so long after its deadline never will.
const ENDLESS: Duration = Duration::from_secs(30);

/// What a publication is bounded by, which has no deadline of its own: what the documentation says.
const PUBLISH: Duration = Duration::from_secs(5);

/// One caller.
pub(super) struct Caller {
    pub(super) stack: Stack,
    pub(super) tally: Arc<Tally>,
    pub(super) stopped: Arc<AtomicBool>,
    pub(super) rng: Rng,
}

/// What a call came to.
type Making = BoxFuture<'static, Result<(), Status>>;

impl Caller {
    /// Calls until told to stop.
    pub(super) async fn run(mut self) {
        while !self.stopped.load(Ordering::Relaxed) {
            match self.rng.u8(..) {
                0..16 => self.publish().await,
                16..48 => self.give_up().await,
                _ => self.call().await,
            }
            sleep(Duration::from_millis(self.rng.u64(PAUSES))).await;
        }
    }

    /// Makes a call, and waits for its end.
    async fn call(&mut self) {
        let limit = Duration::from_millis(self.rng.u64(DEADLINES));
        let deadline = Instant::now() + limit;
        let (kind, call) = self.make(limit);
        self.watch(kind, call, deadline).await;
    }

    /// Makes a call, and drops it before its end.
    async fn give_up(&mut self) {
        let limit = Duration::from_millis(self.rng.u64(DEADLINES));
        let (_, call) = self.make(limit);
        let deadline = Instant::now() + limit;
        let patience = limit.mul_f64(self.rng.f64() / 2.0);
        let call = timeout(patience, call).map(|done| match done {
            Ok(outcome) => outcome,
            Err(_) => Err(Status::cancelled("the caller dropped the call")),
        });
        self.watch("dropped", call.boxed(), deadline).await;
    }

    async fn publish(&mut self) {
        let deadline = Instant::now() + PUBLISH;
        let broker = self.stack.broker.clone();
        let publish = async move {
            let published = broker.publish(EVENTS, Message::new("0")).await;
            published.map_err(|error| Status::new(error.kind().into(), error.to_string()))
        };
        self.watch("publish", publish.boxed(), deadline).await;
    }

    async fn watch(&self, kind: &'static str, call: Making, deadline: Instant) {
        let patience = deadline.saturating_duration_since(Instant::now()) + ENDLESS;
        match timeout(patience, call).await {
            Ok(Ok(())) => self.tally.ended(kind, "Ok".to_owned(), deadline),
            Ok(Err(status)) => {
                let code = status.code().name().to_owned();
                self.tally.ended(kind, code, deadline);
            }
            Err(_) => self.tally.endless(kind),
        }
    }

    /// A call of some kind, whose handler is at once done, takes a while, or takes longer than anybody waits.
    fn make(&mut self, limit: Duration) -> (&'static str, Making) {
        let client = WorkClient::new(&self.stack.client);
        let mut task = Task::new(0);
        task.items = self.rng.u64(1..20);
        task.pause = match self.rng.u8(..8) {
            0..5 => 0,
            5..7 => self.rng.u64(..200_000),
            _ => 60_000_000,
        };
        match self.rng.u8(..8) {
            0..3 => (
                "once",
                async move { done(client.once(task).timeout(limit).await) }.boxed(),
            ),
            3 => {
                let call = async move { done(client.once(task).timeout(limit).idempotent().retry(3).await) };
                ("idempotent", call.boxed())
            }
            4..6 => ("many", many(client, task, limit).boxed()),
            6 => {
                let call = async move { done(client.count(tasks(task)).timeout(limit).await) };
                ("count", call.boxed())
            }
            _ => ("each", each(client, task, limit).boxed()),
        }
    }
}

fn done(answer: Result<u64, Status>) -> Result<(), Status> {
    answer.map(drop)
}

async fn many(client: WorkClient, mut task: Task, limit: Duration) -> Result<(), Status> {
    task.pause /= task.items;
    let items = client.many(task).timeout(limit).await?;
    items.collect().await.map(drop)
}

async fn each(client: WorkClient, task: Task, limit: Duration) -> Result<(), Status> {
    let answers = client.each(tasks(task)).timeout(limit).await?;
    answers.collect().await.map(drop)
}

/// As many tasks as one has items, at its pace.
fn tasks(task: Task) -> Streaming<Task> {
    let pause = task.pause() / task.items as u32;
    Streaming::new(stream::unfold(task.items, move |left| async move {
        let left = left.checked_sub(1)?;
        sleep(pause).await;
        Some((Ok(Task::new(left)), left))
    }))
}
