//! Calls whose time is over, and sockets that nobody uses.

use std::task::Waker;

use tokio::time::Instant;

use super::InFlight;
use super::calls::{End, Progress};

impl InFlight {
    /// When the next call may expire; the driver is woken when that changes.
    pub(crate) fn due(&self, driver: &Waker) -> Option<Instant> {
        let mut calls = self.calls.lock();
        let yields = calls.driver.yields;
        calls.driver.look(driver, yields);
        calls.due
    }

    /// Ends the calls whose deadline has passed.
    pub(crate) fn expire(&self, now: Instant) {
        let mut calls = self.calls.lock();
        calls.due = None;
        let (mut expired, mut due) = (Vec::new(), None::<Instant>);
        for (id, entry) in &calls.entries {
            match (&entry.progress, entry.deadline) {
                (Progress::Done(_), _) | (_, None) => {}
                (_, Some(deadline)) if deadline <= now => expired.push(*id),
                (_, Some(deadline)) => due = Some(due.map_or(deadline, |due| due.min(deadline))),
            }
        }
        calls.due = due;
        let callers: Vec<_> = expired.into_iter().filter_map(|id| calls.time_out(id)).collect();
        drop(calls);
        callers.into_iter().for_each(Waker::wake);
    }

    /// Ends the table if nobody has called since it was last asked.
    pub(crate) fn retire_if_unused(&self) {
        let mut calls = self.calls.lock();
        if !std::mem::take(&mut calls.used) && calls.entries.is_empty() && calls.end == End::No {
            calls.end = End::Retired;
        }
    }

    /// How many messages have come, while calls wait for their answer.
    pub(crate) fn heard_while_waiting(&self) -> Option<u64> {
        let calls = self.calls.lock();
        (calls.waiting > 0).then_some(calls.heard)
    }

    /// Wants a ping to be sent.
    pub(crate) fn want_ping(&self) {
        self.calls.lock().ping = true;
    }
}
