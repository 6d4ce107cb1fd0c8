//! Notices peers that vanish without a word.
//!
//! One task for all sockets of a transport looks around once a second. A peer of ours that has been silent for
//! [`ASK_AFTER`] is asked whether it is there, and again every [`ASK_EVERY`]; one that has been silent for
//! [`GIVE_UP_AFTER`] is given up, so that a vanished peer ends every wait within 15 seconds. An idle socket
//! between our peers costs one small question and its answer every five seconds; a busy one nothing.
//!
//! A plain peer understands no question, and never says goodbye: its socket ends when nothing has been heard
//! from it or said to it for the listener's idle limit.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use micro_core::ErrorKind;
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::end::End;
use crate::state::State;

const TICK: Duration = Duration::from_secs(1);

/// In ticks.
pub(crate) const ASK_AFTER: u32 = 5;
pub(crate) const ASK_EVERY: u32 = 4;
pub(crate) const GIVE_UP_AFTER: u32 = 14;

const SILENT: &str = "the peer has been silent for 14 seconds, and is given up";

/// The task, and what it looks after. It ends with its last holder.
#[derive(Debug)]
pub(crate) struct Keeper {
    watched: Arc<Watched>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Watched {
    now: Arc<AtomicU32>,
    idle_limit: u32,
    ends: Mutex<Vec<Weak<End>>>,
}

impl Keeper {
    /// Starts it, on the runtime of whoever asks.
    pub(crate) fn start(idle_limit: Duration) -> Self {
        let watched = Arc::new(Watched {
            now: Arc::default(),
            idle_limit: u32::try_from(idle_limit.as_secs().max(1)).unwrap_or(u32::MAX),
            ends: Mutex::default(),
        });
        Keeper {
            task: tokio::spawn(watched.clone().run()),
            watched,
        }
    }

    /// A pulse that beats by this keeper's clock.
    pub(crate) fn pulse(&self) -> Pulse {
        Pulse::new(self.watched.now.clone())
    }

    /// Looks after a socket until it is dropped.
    pub(crate) fn watch(&self, end: &Arc<End>) {
        // A plain peer that was dialled is neither asked nor forgotten.
        if end.peer.is_ours() || !end.is_dialled() {
            self.watched.ends.lock().push(Arc::downgrade(end));
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watched {
    async fn run(self: Arc<Self>) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tick.tick().await;
            self.now.fetch_add(1, Ordering::Relaxed);
            self.look_around();
        }
    }

    fn look_around(&self) {
        let mut ends = std::mem::take(&mut *self.ends.lock());
        ends.retain(|end| end.upgrade().is_some_and(|end| self.look_after(&end)));
        let mut came = self.ends.lock();
        ends.append(&mut came);
        *came = ends;
    }

    /// Whether it has to be looked after any longer.
    fn look_after(&self, end: &Arc<End>) -> bool {
        let (live, deaf, leaving) = end.look(|state| (state.is_live(), state.is_deaf(), state.is_leaving()));
        if !live {
            return false;
        }
        if !end.peer.is_ours() {
            let idle = end.pulse.idle() >= self.idle_limit;
            if idle {
                end.change(State::deafen);
            }
            return !idle;
        }
        if end.is_open() {
            match end.pulse.due(!deaf) {
                Due::Nothing => {}
                // Its address is nobody's any more; it asks by itself, since it hears nothing.
                Due::Question if leaving => {}
                Due::Question => end.ping(),
                Due::End => end.fail(ErrorKind::Unavailable, SILENT),
            }
        }
        true
    }
}

/// When something was heard from a peer and said to it, in ticks of its keeper.
#[derive(Debug)]
pub(crate) struct Pulse {
    now: Arc<AtomicU32>,
    heard: AtomicU32,
    said: AtomicU32,
    asked: AtomicU32,
}

/// What a peer's silence calls for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Question,
    End,
}

impl Pulse {
    pub(crate) fn new(now: Arc<AtomicU32>) -> Self {
        let since = now.load(Ordering::Relaxed);
        Pulse {
            now,
            heard: since.into(),
            said: since.into(),
            asked: since.into(),
        }
    }

    pub(crate) fn heard(&self) {
        self.heard
            .store(self.now.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    pub(crate) fn said(&self) {
        self.said
            .store(self.now.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// How long nothing was heard or said.
    pub(crate) fn idle(&self) -> u32 {
        self.since(&self.heard).min(self.since(&self.said))
    }

    /// What is due now. A peer that cannot be heard is not given up for its silence, but the server's word that it
    /// is gone still comes in answer to a question.
    pub(crate) fn due(&self, can_hear: bool) -> Due {
        let silent = self.since(&self.heard);
        if can_hear && silent >= GIVE_UP_AFTER {
            return Due::End;
        }
        if silent < ASK_AFTER || self.since(&self.asked) < ASK_EVERY {
            return Due::Nothing;
        }
        self.asked
            .store(self.now.load(Ordering::Relaxed), Ordering::Relaxed);
        Due::Question
    }

    fn since(&self, then: &AtomicU32) -> u32 {
        self.now
            .load(Ordering::Relaxed)
            .wrapping_sub(then.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dues(pulse: &Pulse, ticks: u32, can_hear: bool) -> Vec<(u32, Due)> {
        let tick = |_| {
            let now = pulse.now.fetch_add(1, Ordering::Relaxed) + 1;
            (now, pulse.due(can_hear))
        };
        (0..ticks)
            .map(tick)
            .filter(|(_, due)| *due != Due::Nothing)
            .collect()
    }

    #[test]
    fn a_silent_peer_is_asked_three_times_and_given_up_within_fifteen_seconds() {
        let pulse = Pulse::new(Arc::default());
        let expected = [
            (5, Due::Question),
            (9, Due::Question),
            (13, Due::Question),
            (14, Due::End),
        ];
        assert_eq!(dues(&pulse, 14, true), expected);
    }

    #[test]
    fn one_that_answers_is_asked_every_five_seconds() {
        let pulse = Pulse::new(Arc::default());
        for round in 1..10 {
            assert_eq!(dues(&pulse, 5, true), [(round * 5, Due::Question)]);
            pulse.heard();
        }
    }

    #[test]
    fn one_that_cannot_be_heard_is_asked_and_not_given_up() {
        let pulse = Pulse::new(Arc::default());
        let dues = dues(&pulse, 60, false);
        assert!(dues.iter().all(|(_, due)| *due == Due::Question), "{dues:?}");
        assert_eq!(dues.len(), 14);
    }

    #[test]
    fn what_is_heard_or_said_ends_idleness() {
        let pulse = Pulse::new(Arc::default());
        pulse.now.store(7, Ordering::Relaxed);
        assert_eq!(pulse.idle(), 7);
        pulse.said();
        assert_eq!(pulse.idle(), 0);
        pulse.now.store(9, Ordering::Relaxed);
        pulse.heard();
        assert_eq!(pulse.idle(), 0);
    }
}
