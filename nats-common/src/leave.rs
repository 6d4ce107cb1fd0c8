//! Leaving a subscription without losing what is on its way.
//!
//! The NATS client forgets a subscription at once when it is told to unsubscribe, and drops what the server sent
//! meanwhile. When told to unsubscribe *after a count*, it keeps the subscription until the count is reached, and
//! so does the server: nothing is lost, as long as the count lies above what the server has already sent.

use std::sync::atomic::Ordering;
use std::time::Duration;

use micro_core::Result;
use tokio::time::timeout;

use crate::outbox::{self, Outgoing};
use crate::pump::Pump;
use crate::steps::Step;

/// More messages than are on their way from the server to us.
const ON_THE_WAY: u64 = 4096;

/// How long the traffic is watched to see whether it reaches the count by itself.
const WATCHED: Duration = Duration::from_millis(20);

/// For how long at once it is watched before it is taken to have stopped. On a busy machine a publisher, or the server,
/// may not get its turn for that long.
const STOPPED: Duration = Duration::from_millis(80);

/// How often the count is set anew while traffic falls.
const ROUNDS: usize = 10;

/// What may be on its way where hardly anything comes.
const LEAST: u64 = 16;

/// For how long at once traffic is watched by those who do not hurry; longer, and it has stopped.
const PATIENCE: Duration = Duration::from_secs(5);

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
            self.give_up();
        }
        result
    }

    /// Leaves as [`leave`](Pump::leave) does, and with less haste: where little comes, it is taken until the server has
    /// sent as much as it was told to send, or next to nothing has come for 5 s.
    ///
    /// # Errors
    /// As [`leave`](Pump::leave).
    ///
    /// # Cancel safety
    /// May be left after that; what the server sends meanwhile goes to the consumer.
    pub async fn finish(&mut self) -> Result<()> {
        if !self.has_parted() && !self.task.is_finished() && self.finish_by_count().await.is_ok() {
            return Ok(());
        }
        self.leave(None).await
    }

    async fn finish_by_count(&mut self) -> Result<()> {
        let mut end = self.begin_to_end().await?;
        let mut watched = WATCHED;
        while watched < PATIENCE {
            match self.lower_once(&mut end, watched).await? {
                None => return Ok(()),
                Some(0) => watched *= 2,
                Some(_) => {}
            }
        }
        self.drain().await;
        Ok(())
    }

    async fn leave_by_count(&mut self, filler: Option<Outgoing>) -> Result<()> {
        if self.has_parted() {
            self.drain().await;
            return Ok(());
        }
        let end = self.begin_to_end().await?;
        match filler {
            Some(filler) => self.fill(filler).await,
            None => self.lower(end).await,
        }
    }

    /// Sets the count, above all that can be on its way.
    async fn begin_to_end(&mut self) -> Result<u64> {
        self.take_stock().await?;
        let end = self.received() + ON_THE_WAY;
        self.end_after(end).await;
        Ok(end)
    }

    async fn fill(&mut self, filler: Outgoing) -> Result<()> {
        for _ in 0..ON_THE_WAY {
            self.outbox.publish(filler.clone()).await?;
        }
        if self.ends_within(FILLED).await {
            return Ok(());
        }
        self.drain().await;
        Ok(())
    }

    /// Waits for traffic to reach the count, and sets it lower as long as it does not. Where hardly anything
    /// comes, hardly anything can be on its way.
    async fn lower(&mut self, mut end: u64) -> Result<()> {
        let mut watched = WATCHED;
        for _ in 0..ROUNDS {
            match self.lower_once(&mut end, watched).await? {
                None => return Ok(()),
                Some(0) if watched >= STOPPED => break,
                Some(0) => watched *= 2,
                Some(_) => watched = WATCHED,
            }
        }
        self.drain().await;
        Ok(())
    }

    /// Watches the traffic for this long: how much came, or `None` when it has reached the count, or no count can end it.
    async fn lower_once(&mut self, end: &mut u64, watched: Duration) -> Result<Option<u64>> {
        let before = self.received();
        if self.ends_within(watched).await {
            return Ok(None);
        }
        self.take_stock().await?;
        if self.has_parted() {
            self.drain().await;
            return Ok(None);
        }
        let came = self.received() - before;
        let sooner = self.received() + (came * 4).clamp(LEAST, ON_THE_WAY);
        if sooner < *end {
            *end = sooner;
            self.end_after(sooner).await;
        }
        Ok(Some(came))
    }

    /// Takes in what the server has sent by now. Where this process is busy that waits unread, by the thousands, and
    /// would be taken for messages that are still to be sent.
    async fn take_stock(&self) -> Result<()> {
        outbox::fence(&self.outbox).await?;
        self.catch_up().await;
        Ok(())
    }

    /// The server answers to a drain; the client forgets the subscription with the first thing that it does after
    /// that, so nothing else is asked of it here.
    async fn drain(&mut self) {
        self.steps.take(Step::Drain).await;
        self.ends_within(FILLED).await;
    }

    /// Counts of client and server part at a reconnect: the server begins anew, with what was missing to the last count.
    fn has_parted(&self) -> bool {
        *self.outbox.board.disconnects().borrow() != self.since
    }

    fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Returns when the client has been told, so that what is published next is behind it.
    async fn end_after(&self, count: u64) {
        self.steps.take(|done| Step::After(count, done)).await;
    }

    async fn ends_within(&mut self, limit: Duration) -> bool {
        timeout(limit, &mut self.task).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::StreamExt;
    use micro_conformance::nats_server::NatsServer;
    use micro_core::PluginConfig;

    use super::*;
    use crate::{Connection, Consumer, Delivery, Incoming};

    struct Ignoring;

    impl Consumer for Ignoring {
        fn take(&self, _: Incoming) {}
    }

    #[tokio::test]
    async fn a_connection_lost_while_it_leaves_ends_the_counting() {
        let mut server = NatsServer::start().await;
        let config = PluginConfig::default().with_addresses(&server.url());
        let connection = Connection::open(&config).await.unwrap();
        let mut pump = connection.pump("a", None, Arc::new(Ignoring)).await.unwrap();
        for _ in 0..100 {
            connection.publish(Outgoing::new("a", "")).await.unwrap();
        }
        let mut end = pump.begin_to_end().await.unwrap();
        let (mut lost, mut connected) = (connection.disconnects(), connection.board().connected());
        server.restart().await;
        lost.changed().await.unwrap();
        connected.wait_for(|connected| *connected).await.unwrap();
        assert_eq!(pump.lower_once(&mut end, WATCHED).await.unwrap(), None);
        // The server sends nothing more to it: nobody is there.
        let mut mailbox = connection.mailbox(1);
        let word = Outgoing::new("a", "").with_reply(mailbox.subject().clone());
        connection.publish(word).await.unwrap();
        let answer = mailbox.next().await.unwrap().unwrap();
        assert!(matches!(answer, Delivery::NoResponders), "{answer:?}");
    }
}
