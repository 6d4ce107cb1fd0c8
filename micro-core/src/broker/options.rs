//! How to subscribe.

use crate::error::{Error, ErrorKind, Result};
use crate::name;

/// How to subscribe.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SubscribeOptions {
    /// The queue group: each event goes to one of its members. `None` gets every event.
    pub queue: Option<String>,
    /// How many events wait for a slow subscriber before it overflows. Default: 1,024.
    pub capacity: usize,
    /// What then becomes of those that come. Default: they are dropped and counted.
    pub overflow: Overflow,
}

/// What becomes of events for a subscriber that has as many waiting as its capacity allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// They are dropped for this subscriber, and counted: its next `recv` says how many.
    #[default]
    Drop,
    /// A member leaves its queue group, so that they go to other members, and comes back when half of what waited has
    /// been read. For queue groups of which other members can take its share.
    ///
    /// What was delivered by then, or was on its way, is handed out: up to 8,192 events more than the capacity wait for
    /// that, on NATS, before any is dropped and counted.
    ///
    /// A member cannot know whether it is the last one. **What is published while all members pause reaches nobody, and
    /// nobody counts it**: it would not have been handled if they had stayed either, but then they would have counted it.
    /// How often a subscription has paused is counted ([`Subscription::pauses`](super::Subscription::pauses)).
    Pause,
}

impl Default for SubscribeOptions {
    fn default() -> Self {
        SubscribeOptions {
            queue: None,
            capacity: 1024,
            overflow: Overflow::default(),
        }
    }
}

impl SubscribeOptions {
    /// Joins a queue group.
    #[must_use]
    pub fn with_queue(mut self, queue: impl Into<String>) -> Self {
        self.queue = Some(queue.into());
        self
    }

    /// Bounds the events that wait.
    #[must_use]
    pub fn with_capacity(mut self, events: usize) -> Self {
        self.capacity = events;
        self
    }

    /// Says what becomes of events that are too many.
    #[must_use]
    pub fn with_overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// For backends: checks what can be known to be wrong of the options alone.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for an illegal name of a queue group, and for a subscription that would pause and is
    /// in none.
    pub fn check(&self) -> Result<()> {
        match (&self.queue, self.overflow) {
            (Some(queue), _) => name::check_topic(queue),
            (None, Overflow::Drop) => Ok(()),
            (None, Overflow::Pause) => Err(Error::new(
                ErrorKind::InvalidArgument,
                "only members of a queue group can pause: what comes meanwhile would reach nobody",
            )),
        }
    }
}
