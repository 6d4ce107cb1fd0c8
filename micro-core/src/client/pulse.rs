//! Signs of life of a stream to a go-micro server, which gives none by itself.
//!
//! Such a server forgets a socket to which nothing came for 60 s, and says nothing of it, to its handler neither. So
//! it is pinged before, and its answers tell that it is there. A server that is gone is noticed within 15 s, by a
//! ping that reaches nobody; one that is frozen within 75 s. One whose handler has left 128 messages unread answers
//! no ping, and is taken for frozen, too.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::{Instant, Interval, interval_at};

use crate::error::{Error, ErrorKind, Result};
use crate::rpc::frame::Dialect;

/// How long nothing is sent before a ping is.
const EVERY: Duration = Duration::from_secs(15);

/// How many pings may stay without any message from the server.
const MISSED: u32 = 4;

/// After how long without a message a server may have forgotten the socket: 60 s, less the time of a message.
const FORGOTTEN: Duration = Duration::from_secs(55);

/// What the reading half has heard, for the writing half.
#[derive(Debug)]
pub(crate) struct Pulse {
    dialect: Dialect,
    unanswered: AtomicU32,
}

/// When to ping, counted from the last message that was sent.
pub(crate) struct Beats<'a> {
    pulse: &'a Pulse,
    last: Instant,
    timer: Interval,
}

impl Pulse {
    /// Of a socket to this peer. Peers of ours look after their sockets themselves.
    pub(crate) fn new(dialect: Dialect) -> Self {
        Pulse {
            dialect,
            unanswered: AtomicU32::new(0),
        }
    }

    /// Notes that the server said something.
    pub(crate) fn heard(&self) {
        self.unanswered.store(0, Ordering::Relaxed);
    }

    /// The pings to come, when a message has just been sent.
    pub(crate) fn beats(&self) -> Beats<'_> {
        let last = Instant::now();
        Beats {
            pulse: self,
            last,
            timer: interval_at(last + EVERY, EVERY),
        }
    }
}

impl Beats<'_> {
    /// Waits until a ping is due.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the server is silent, or may have forgotten the socket.
    pub(crate) async fn next(&mut self) -> Result<()> {
        if self.pulse.dialect.is_ours() {
            return std::future::pending().await;
        }
        self.timer.tick().await;
        self.check()?;
        self.last = Instant::now();
        match self.pulse.unanswered.fetch_add(1, Ordering::Relaxed) {
            MISSED.. => Err(gone("the server has answered no ping for a minute")),
            _ => Ok(()),
        }
    }

    /// Whether the server can still know the socket: this process may have been stopped for a while.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when it may have forgotten it: what came then would begin the stream anew.
    pub(crate) fn check(&self) -> Result<()> {
        match !self.pulse.dialect.is_ours() && self.last.elapsed() > FORGOTTEN {
            true => Err(gone(
                "nothing was sent for so long that the server has forgotten the stream",
            )),
            false => Ok(()),
        }
    }
}

fn gone(why: &str) -> Error {
    Error::new(ErrorKind::Unavailable, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_answers_is_pinged_for_ever() {
        let pulse = Pulse::new(Dialect::GoMicro);
        let mut beats = pulse.beats();
        for _ in 0..100 {
            beats.next().await.unwrap();
            pulse.heard();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_server_is_given_up() {
        let (pulse, start) = (Pulse::new(Dialect::GoMicro), Instant::now());
        let mut beats = pulse.beats();
        let error = loop {
            if let Err(error) = beats.next().await {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(start.elapsed(), EVERY * (MISSED + 1));
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_long_stop_nothing_more_is_sent() {
        let pulse = Pulse::new(Dialect::GoMicro);
        let beats = pulse.beats();
        tokio::time::advance(FORGOTTEN).await;
        assert!(beats.check().is_ok());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(beats.check().unwrap_err().kind(), ErrorKind::Unavailable);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_of_ours_is_not_pinged() {
        let pulse = Pulse::new(Dialect::Ours);
        let mut beats = pulse.beats();
        let pinged = tokio::time::timeout(Duration::from_secs(3600), beats.next()).await;
        assert!(pinged.is_err() && beats.check().is_ok());
    }
}
