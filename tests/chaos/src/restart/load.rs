//! Callers that call without a pause, and note what they were answered.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use micro::{Backends, Json, Status};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::interface::{EVENTS, Task, WorkClient};

/// No call needs it on a normal day; it is far above what a busy machine adds.
const DEADLINE: Duration = Duration::from_secs(30);

/// After how many calls of one caller an event is published.
const CALLS_PER_EVENT: u64 = 4;

/// How many items a stream has, and how long it waits before each: a stream lives about as long as a stop takes.
const ITEMS: u64 = 32;
const PAUSE: Duration = Duration::from_millis(4);

/// What was asked for, and what came of it.
#[derive(Default)]
pub(super) struct Load {
    next: AtomicU64,
    stopped: AtomicBool,
    progress: Notify,
    pub(super) calls: Kind,
    pub(super) streams: Kind,
    pub(super) events: Kind,
}

/// Calls, streams, or events.
#[derive(Default)]
pub(super) struct Kind {
    done: AtomicU64,
    /// How many failed, by why.
    failed: Mutex<BTreeMap<String, u64>>,
}

impl Load {
    /// Calls, and publishes, until told to stop.
    pub(super) async fn call(self: Arc<Self>, backends: Backends) {
        let client = WorkClient::new(backends.client());
        while !self.stopped.load(Ordering::Relaxed) {
            let id = self.next.fetch_add(1, Ordering::Relaxed);
            self.calls.enter(once(&client, id).await);
            self.progress.notify_waiters();
            if id.is_multiple_of(CALLS_PER_EVENT) {
                let published = backends.publish_to(EVENTS, &Json(id)).await;
                self.events.enter(published.map_err(|error| error.to_string()));
            }
        }
    }

    /// Opens streams one after the other until told to stop.
    pub(super) async fn stream(self: Arc<Self>, backends: Backends) {
        let client = WorkClient::new(backends.client());
        while !self.stopped.load(Ordering::Relaxed) {
            self.streams.enter(many(&client).await);
        }
    }

    /// Returns when so many calls have ended.
    pub(super) async fn called(&self, calls: u64) {
        loop {
            let progress = self.progress.notified();
            if self.calls.all() >= calls {
                return;
            }
            progress.await;
        }
    }

    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

async fn once(client: &WorkClient, id: u64) -> Result<(), String> {
    let answer = client.once(Task::new(id)).timeout(DEADLINE).await;
    match answer.map_err(|status| status.to_string())? {
        answer if answer == id => Ok(()),
        answer => Err(format!("the answer to {id} was {answer}")),
    }
}

async fn many(client: &WorkClient) -> Result<(), String> {
    let task = Task {
        id: 0,
        pause: PAUSE.as_micros() as u64,
        items: ITEMS,
    };
    let answers = async { client.many(task).timeout(DEADLINE).await?.collect().await };
    let answers: Vec<u64> = answers.await.map_err(|status: Status| status.to_string())?;
    match answers.iter().copied().eq(0..ITEMS) {
        true => Ok(()),
        false => Err(format!("a stream had {} items of {ITEMS}", answers.len())),
    }
}

impl Kind {
    fn enter(&self, outcome: Result<(), String>) {
        if let Err(why) = outcome {
            *self.failed.lock().entry(why).or_default() += 1;
        }
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn all(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    pub(super) fn failed(&self) -> BTreeMap<String, u64> {
        self.failed.lock().clone()
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed: u64 = [&self.calls, &self.streams, &self.events]
            .iter()
            .flat_map(|kind| kind.failed().into_values())
            .sum();
        write!(
            f,
            "{} calls, {} streams, {} events, {failed} failed",
            self.calls.all(),
            self.streams.all(),
            self.events.all()
        )
    }
}
