//! A member of a queue group that leaves it while it is full, and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use micro_core::broker::SubscribeOptions;
use micro_core::queue;
use micro_core::{Error, ErrorKind, Result};
use nats_common::{Connection, PUBLISH_LIMIT, Pump};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::inbound::{Inbound, Unread};

/// How many events wait beyond the capacity: those that still come while a member leaves. The server stops after 4,096,
/// and as many may have come before it was told.
const RESERVE: usize = 8192;

/// How long it waits before it tries to come back another time: at first, and at most.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(15);

/// What a member needs to come back. The queue stays open as long as it lives.
pub(crate) struct Member {
    connection: Arc<Connection>,
    topic: String,
    queue: Option<String>,
    events: queue::Sender<Result<Unread>>,
    /// Whether the reader of the events knows that the server refuses this member.
    refused: Arc<AtomicBool>,
}

impl Member {
    /// One that is not in its group yet, with its queue.
    pub(crate) fn new(
        connection: &Arc<Connection>,
        topic: &str,
        options: &SubscribeOptions,
    ) -> (Self, queue::Receiver<Result<Unread>>) {
        let (events, reader) = queue::leveled(options.capacity, RESERVE, Result::is_ok);
        let member = Member {
            connection: connection.clone(),
            topic: topic.to_owned(),
            queue: options.queue.clone(),
            events,
            refused: Arc::default(),
        };
        (member, reader)
    }

    /// Subscribes. When this returns, the next event arrives.
    pub(crate) async fn join(&self) -> Result<Pump> {
        let group = self.queue.as_deref();
        let inbound = Inbound::withholding(&self.topic, group, self.events.clone(), self.refused.clone());
        let inbound = Arc::new(inbound);
        let pump = self.connection.pump(&self.topic, group, inbound.clone()).await?;
        // Whoever was told that it is refused is told that it is no more.
        if self.refused.swap(false, Ordering::Relaxed) {
            self.events.push(Err(renewed()));
        }
        inbound.made();
        Ok(pump)
    }

    /// Leaves whenever it is full, and comes back, until asked to leave for good: that is when this returns.
    pub(crate) async fn run(self, mut pump: Pump, asked: CancellationToken) -> Result<()> {
        loop {
            if asked.run_until_cancelled(self.stay(&mut pump)).await.is_none() {
                return pump.leave(None).await;
            }
            drop(pump);
            match self.come_back(&asked).await {
                Some(back) => pump = back,
                None => return Ok(()),
            }
        }
    }

    /// Returns when it has become full and has left, or when the connection has ended.
    async fn stay(&self, pump: &mut Pump) {
        tokio::select! {
            () = self.events.until_full() => {}
            () = pump.ended() => return,
        }
        tracing::debug!(
            topic = self.topic,
            "a member of a queue group is full, and pauses"
        );
        if let Err(error) = pump.finish().await {
            // The connection was lost meanwhile, which the subscriber is told by itself.
            tracing::debug!(topic = self.topic, %error, "a member did not leave its queue group well");
        }
    }

    /// Joins again once there is room, however long that takes; `None` when there is nothing to wait for any more.
    async fn come_back(&self, asked: &CancellationToken) -> Option<Pump> {
        asked.run_until_cancelled(self.events.until_read()).await?;
        let mut pause = FIRST;
        let mut told = None;
        while !self.events.is_closed() {
            // Not cut off because somebody asks to leave: events may come as soon as the server has it.
            let joined = timeout(PUBLISH_LIMIT, self.join()).await;
            let error = match joined.unwrap_or_else(|_| Err(late())) {
                Ok(pump) => {
                    tracing::debug!(topic = self.topic, "a member of a queue group is back");
                    return Some(pump);
                }
                Err(error) => error,
            };
            tracing::warn!(topic = self.topic, %error, "a member cannot come back to its queue group");
            let kind = error.kind();
            self.tell(&mut told, error);
            if kind == ErrorKind::Closed {
                return None;
            }
            asked.run_until_cancelled(sleep(pause)).await?;
            pause = (pause * 2).min(LONGEST);
        }
        None
    }

    /// Tells why it cannot come back, where that is news. That it is refused stays true while the connection is lost.
    fn tell(&self, told: &mut Option<ErrorKind>, error: Error) {
        let kind = error.kind();
        let known = self.refused.load(Ordering::Relaxed) || told.replace(kind) == Some(kind);
        if kind == ErrorKind::PermissionDenied {
            self.refused.store(true, Ordering::Relaxed);
        }
        if !known || kind == ErrorKind::Closed {
            self.events.push(Err(error));
        }
    }
}

fn late() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "the NATS server takes too long; events are missing",
    )
}

fn renewed() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "the NATS server lets this subscription hear again; events are missing",
    )
}
