//! Fences: proof that the server has processed what was sent before.
//!
//! A fence is a message to ourselves. The server handles what one connection sends in order, so when the message
//! is back, every subscription, departure and publish before it is done, and every answer that the server gave to
//! them itself (no responders, a denied permission) came in before it.
//!
//! One is on its way at a time. Whoever asks meanwhile shares the next: the one on its way was sent too early.

use std::time::{Duration, Instant};

use micro_core::Result;
use tokio::sync::oneshot;

/// How long a fence is waited for.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

type Waiter = oneshot::Sender<Result<()>>;

/// The fences of one connection.
#[derive(Debug, Default)]
pub(crate) struct Fences {
    under_way: Option<UnderWay>,
    next: Vec<Waiter>,
    number: u64,
}

#[derive(Debug)]
struct UnderWay {
    number: u64,
    since: Instant,
    waiters: Vec<Waiter>,
}

impl Fences {
    /// Joins a fence; the number of one to be sent now, if any.
    pub(crate) fn join(&mut self, waiter: Waiter) -> Option<u64> {
        self.next.push(waiter);
        // One that is not back by now never will be: it went with a connection that was lost.
        let hopeless = |fence: &UnderWay| fence.since.elapsed() > LIMIT;
        if self.under_way.as_ref().is_none_or(hopeless) {
            self.start()
        } else {
            None
        }
    }

    /// The fence of this number is back: those who waited for it, and the number of the next one to be sent.
    pub(crate) fn answered(&mut self, number: u64) -> (Vec<Waiter>, Option<u64>) {
        match self.under_way.take_if(|fence| fence.number == number) {
            Some(fence) => (fence.waiters, self.start()),
            None => (Vec::new(), None),
        }
    }

    /// Everybody who waits, for whatever fence.
    pub(crate) fn abandon(&mut self) -> Vec<Waiter> {
        let mut waiters = self.under_way.take().map_or_else(Vec::new, |fence| fence.waiters);
        waiters.append(&mut self.next);
        waiters
    }

    fn start(&mut self) -> Option<u64> {
        self.next.retain(|waiter| !waiter.is_closed());
        if self.next.is_empty() {
            return None;
        }
        self.number += 1;
        self.under_way = Some(UnderWay {
            number: self.number,
            since: Instant::now(),
            waiters: std::mem::take(&mut self.next),
        });
        Some(self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Answer = oneshot::Receiver<Result<()>>;

    fn join(fences: &mut Fences) -> (Option<u64>, Answer) {
        let (waiter, answer) = oneshot::channel();
        (fences.join(waiter), answer)
    }

    #[test]
    fn those_who_come_while_one_is_under_way_share_the_next() {
        let mut fences = Fences::default();
        let (first, _a) = join(&mut fences);
        let (second, _b) = join(&mut fences);
        let (third, _c) = join(&mut fences);
        assert_eq!((first, second, third), (Some(1), None, None));
        let (waiters, next) = fences.answered(1);
        assert_eq!((waiters.len(), next), (1, Some(2)));
        let (waiters, next) = fences.answered(2);
        assert_eq!((waiters.len(), next), (2, None));
    }

    #[test]
    fn an_answer_of_an_earlier_connection_is_ignored() {
        let mut fences = Fences::default();
        let (_, _a) = join(&mut fences);
        assert_eq!(fences.abandon().len(), 1);
        let (second, _b) = join(&mut fences);
        assert_eq!(second, Some(2));
        assert!(fences.answered(1).0.is_empty());
        assert_eq!(fences.answered(2).0.len(), 1);
    }

    #[test]
    fn nothing_is_sent_for_those_who_left() {
        let mut fences = Fences::default();
        let (_, _a) = join(&mut fences);
        let (_, gone) = join(&mut fences);
        drop(gone);
        assert_eq!(fences.answered(1).1, None);
    }
}
