//! Leaving a subscription without losing what is on its way.
//!
//! The NATS client forgets a subscription at once when it is told to unsubscribe, and drops what the server sent
//! meanwhile. When told to unsubscribe *after a count*, it keeps the subscription until the count is reached, and
//! so does the server: nothing is lost, as long as the count lies above what the server has already sent.

use std::sync::atomic::Ordering;
use std::time::Duration;

use micro_core::Result;
use tokio::time::timeout;

use crate::errors;
use crate::outbox::{self, Outgoing};
use crate::pump::{Pump, Step};

/// More messages than are on their way from the server to us.
const ON_THE_WAY: u64 = 1024;

/// Where there is little traffic the count is not reached by itself, so it is lowered, and the wait with it.
/// What is lost when the last one is not reached is what comes within one way from the server, at a rate below
/// ten messages a second.
const LOWER: [(u64, Duration); 2] = [(16, Duration::from_millis(50)), (1, Duration::from_millis(100))];

/// How long fillers may take to come back.
const FILLED: Duration = Duration::from_secs(2);

impl Pump {
    /// Leaves, and returns when everything that was sent has been handed to the consumer.
    ///
    /// With a `filler`, a message to the subject itself that the consumer ignores, the count is reached by
    /// sending fillers: nothing is lost at all. Only for subjects to which nobody else listens.
    ///
    /// # Errors
    /// [`Unavailable`](micro_core::ErrorKind::Unavailable) when the connection is down: the subscription is given
    /// up all the same.
    ///
    /// # Cancel safety
    /// May be awaited again; what the server sends meanwhile goes to the consumer.
    pub async fn leave(&mut self, filler: Option<Outgoing>) -> Result<()> {
        if self.task.is_finished() {
            return Ok(());
        }
        let result = self.leave_by_count(filler).await;
        if !self.task.is_finished() {
            self.task.abort();
        }
        result
    }

    async fn leave_by_count(&mut self, filler: Option<Outgoing>) -> Result<()> {
        // Counts of client and server part at a reconnect.
        if *self.outbox.board.disconnects().borrow() != self.since {
            return self.drain().await;
        }
        self.end_after(ON_THE_WAY).await?;
        match filler {
            Some(filler) => self.fill(filler).await,
            None => self.lower().await,
        }
    }

    async fn fill(&mut self, filler: Outgoing) -> Result<()> {
        for _ in 0..ON_THE_WAY {
            self.outbox.publish(filler.clone()).await?;
        }
        if self.ends_within(FILLED).await {
            return Ok(());
        }
        self.drain().await
    }

    async fn lower(&mut self) -> Result<()> {
        outbox::fence(&self.outbox).await?;
        for (count, wait) in LOWER {
            if self.task.is_finished() {
                return Ok(());
            }
            self.end_after(count).await?;
            if self.ends_within(wait).await {
                return Ok(());
            }
        }
        self.drain().await
    }

    async fn drain(&mut self) -> Result<()> {
        self.step(Step::Drain).await?;
        outbox::fence(&self.outbox).await?;
        self.ends_within(FILLED).await;
        Ok(())
    }

    async fn end_after(&self, more: u64) -> Result<()> {
        let received = self.received.load(Ordering::Relaxed);
        self.step(Step::After(received + more)).await
    }

    async fn step(&self, step: Step) -> Result<()> {
        if self.steps.send(step).await.is_err() && !self.task.is_finished() {
            return Err(errors::ended());
        }
        Ok(())
    }

    async fn ends_within(&mut self, limit: Duration) -> bool {
        timeout(limit, &mut self.task).await.is_ok()
    }
}
