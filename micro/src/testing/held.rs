//! Messages that have arrived and are not due yet.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::faults::Fate;

/// How many wait before no more are taken from below, so that what is bounded there stays so.
const ROOM: usize = 1024;

/// How long a message that was set behind the next waits for one.
const PATIENCE: Duration = Duration::from_millis(100);

/// Messages in the order in which they come out, each with its time.
#[derive(Debug)]
pub(super) struct Held<T> {
    due: VecDeque<(Instant, T)>,
    /// One that comes out after the next.
    aside: Option<(Instant, T)>,
}

impl<T> Held<T> {
    pub(super) fn new() -> Self {
        Held {
            due: VecDeque::new(),
            aside: None,
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.due.len() < ROOM
    }

    /// Holds a message for a while. It never comes out before one that was held earlier.
    pub(super) fn hold(&mut self, item: T, delay: Duration) {
        let due = Instant::now() + delay;
        self.due.push_back((due, item));
        if let Some((_, aside)) = self.aside.take() {
            self.due.push_back((due, aside));
        }
    }

    /// Holds a message that may come twice, or after the next.
    pub(super) fn hold_by(&mut self, fate: &Fate, item: T)
    where
        T: Clone,
    {
        if fate.twice {
            self.hold(item.clone(), fate.delay);
        }
        match self.aside {
            None if fate.set_behind => self.aside = Some((Instant::now() + fate.delay + PATIENCE, item)),
            _ => self.hold(item, fate.delay),
        }
    }

    /// No more will come: what was set behind the next comes out as it is.
    pub(super) fn end(&mut self) {
        if let Some((_, aside)) = self.aside.take() {
            self.hold(aside, Duration::ZERO);
        }
    }

    /// Takes out what is due.
    pub(super) fn take(&mut self) -> Option<T> {
        let now = Instant::now();
        if self.due.front().is_some_and(|(due, _)| *due <= now) {
            return self.due.pop_front().map(|(_, item)| item);
        }
        self.aside.take_if(|(due, _)| *due <= now).map(|(_, item)| item)
    }

    /// Waits until something is due; for ever when nothing is held.
    pub(super) async fn wait(&self) {
        let first = self.due.front().map(|(due, _)| *due);
        let aside = self.aside.as_ref().map(|(due, _)| *due);
        match first.into_iter().chain(aside).min() {
            Some(due) => sleep_until(due).await,
            None => std::future::pending().await,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.due.is_empty() && self.aside.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(mut held: Held<u32>) -> Vec<u32> {
        let mut out = Vec::new();
        while !held.is_empty() {
            held.wait().await;
            out.extend(held.take());
        }
        out
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_delayed_longer_delays_what_comes_behind_it() {
        let mut held = Held::new();
        held.hold(1, Duration::from_secs(2));
        held.hold(2, Duration::from_secs(1));
        assert_eq!(held.take(), None);
        assert_eq!(all(held).await, [1, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_set_behind_comes_after_the_next_or_late() {
        let behind = Fate {
            set_behind: true,
            ..Fate::default()
        };
        let mut held = Held::new();
        held.hold_by(&behind, 1);
        held.hold_by(&Fate::default(), 2);
        held.hold_by(&behind, 3);
        assert_eq!(all(held).await, [2, 1, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_may_come_twice() {
        let twice = Fate {
            twice: true,
            ..Fate::default()
        };
        let mut held = Held::new();
        held.hold_by(&twice, 1);
        assert_eq!(all(held).await, [1, 1]);
    }
}
