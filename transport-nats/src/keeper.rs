//! Notices peers that vanish without a word.
//!
//! One task for all sockets of a transport looks around once a second. A peer of ours that has been silent for a third
//! of the limit (15 s, unless it is set) is asked whether it is there, and again twice; one that has been silent for all
//! of it but a second is given up, so that a vanished peer ends every wait within the limit. In the native encoding a
//! peer is a process, whatever the number of sockets to it; in go-micro's, each idle socket asks for itself.
//!
//! A plain peer understands no question, and never says goodbye: its socket ends when nothing has been heard
//! from it or said to it for the listener's idle limit.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use micro_core::ErrorKind;
use nats_common::{Connection, Slot};
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::end::End;
use crate::ignored::Counters;
use crate::native::{self, Groups, Home, Link};
use crate::state::State;

const TICK: Duration = Duration::from_secs(1);

const SILENT: &str = "the peer has been silent for too long, and is given up";

/// The time, in ticks, and when what is due.
#[derive(Debug)]
pub(crate) struct Clock {
    now: AtomicU32,
    ask_after: u32,
    ask_every: u32,
    give_up_after: u32,
}

impl Clock {
    /// A clock by which a silent peer is given up within this limit, of at least three seconds.
    pub(crate) fn new(limit: Duration) -> Arc<Self> {
        let limit = u32::try_from(limit.as_secs()).unwrap_or(u32::MAX).max(3);
        // A tick is lost between two looks.
        let (give_up_after, ask_after) = (limit - 1, limit / 3);
        Arc::new(Clock {
            now: AtomicU32::new(0),
            ask_after,
            ask_every: ((give_up_after - ask_after - 1) / 2).max(1),
            give_up_after,
        })
    }

    fn now(&self) -> u32 {
        self.now.load(Ordering::Relaxed)
    }
}

/// What a transport bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How long a peer that is not ours may be idle.
    pub(crate) idle: Duration,
    /// How soon a silent peer of ours is given up.
    pub(crate) keepalive: Duration,
    /// How many sockets a listener keeps.
    pub(crate) sockets: usize,
    /// The largest message in the native encoding.
    pub(crate) max_message: usize,
}

/// The task, and what it looks after. It ends with its last holder.
#[derive(Debug)]
pub(crate) struct Keeper {
    watched: Arc<Watched>,
    task: JoinHandle<()>,
    /// Of the sockets that are dialled, in the native encoding.
    link: Arc<Link>,
    #[allow(dead_code, reason = "held for its drop")]
    home: Slot,
}

#[derive(Debug)]
struct Watched {
    clock: Arc<Clock>,
    idle_limit: u32,
    ends: Mutex<Vec<Weak<End>>>,
    native: Mutex<Vec<Weak<native::End>>>,
    lingering: Mutex<Vec<Arc<native::Hold>>>,
    groups: Arc<Groups>,
}

impl Keeper {
    /// Starts it, on the runtime of whoever asks.
    pub(crate) fn start(connection: &Arc<Connection>, counters: &Arc<Counters>, limits: Limits) -> Self {
        let clock = Clock::new(limits.keepalive);
        let groups = Arc::new(Groups::new(connection, &clock));
        let (home, link) = Home::open(
            connection,
            |_| false,
            |home| Link::new(connection, counters, &groups, home, limits.max_message),
        );
        let watched = Arc::new(Watched {
            clock,
            idle_limit: u32::try_from(limits.idle.as_secs().max(1)).unwrap_or(u32::MAX),
            ends: Mutex::default(),
            native: Mutex::default(),
            lingering: Mutex::default(),
            groups,
        });
        Keeper {
            task: tokio::spawn(watched.clone().run()),
            watched,
            link,
            home,
        }
    }

    /// What dialled sockets have in common.
    pub(crate) fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// A pulse that beats by this keeper's clock.
    pub(crate) fn pulse(&self) -> Pulse {
        Pulse::new(self.watched.clock.clone())
    }

    /// The processes that sockets lead to.
    pub(crate) fn groups(&self) -> &Arc<Groups> {
        &self.watched.groups
    }

    /// Looks after a socket until it is dropped.
    pub(crate) fn watch(&self, end: &Arc<End>) {
        // A plain peer that was dialled is neither asked nor forgotten.
        if end.peer.is_ours() || !end.is_dialled() {
            self.watched.ends.lock().push(Arc::downgrade(end));
        }
    }

    /// Looks after a socket in the native encoding until it is dropped.
    pub(crate) fn watch_native(&self, end: &Arc<native::End>) {
        self.watched.native.lock().push(Arc::downgrade(end));
    }

    /// Keeps a socket whose user is gone until it has sent what it was given.
    pub(crate) fn linger(&self, hold: Arc<native::Hold>) {
        self.watched.lingering.lock().push(hold);
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
            self.clock.now.fetch_add(1, Ordering::Relaxed);
            self.look_around();
        }
    }

    fn look_around(&self) {
        self.groups.look_around();
        retain(&self.ends, |end: &Weak<End>| {
            end.upgrade().is_some_and(|end| self.look_after(&end))
        });
        retain(&self.native, |end: &Weak<native::End>| {
            end.upgrade().is_some_and(|end| end.look_after())
        });
        retain(&self.lingering, |hold| !hold.has_left());
    }

    /// Whether it has to be looked after any longer.
    fn look_after(&self, end: &Arc<End>) -> bool {
        let (live, deaf, leaving) = end.look(|state| {
            let ending = state.ending();
            (ending.is_live(), ending.is_deaf(), ending.is_leaving())
        });
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

/// Without the lock: what is looked at may add to the list, or be dropped.
fn retain<T>(list: &Mutex<Vec<T>>, keep: impl FnMut(&T) -> bool) {
    let mut kept = std::mem::take(&mut *list.lock());
    kept.retain(keep);
    let mut came = list.lock();
    kept.append(&mut came);
    *came = kept;
}

/// When something was heard from a peer and said to it, in ticks of its keeper.
#[derive(Debug)]
pub(crate) struct Pulse {
    clock: Arc<Clock>,
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
    pub(crate) fn new(clock: Arc<Clock>) -> Self {
        let since = clock.now();
        Pulse {
            clock,
            heard: since.into(),
            said: since.into(),
            asked: since.into(),
        }
    }

    pub(crate) fn heard(&self) {
        self.heard.store(self.clock.now(), Ordering::Relaxed);
    }

    pub(crate) fn said(&self) {
        self.said.store(self.clock.now(), Ordering::Relaxed);
    }

    /// How long nothing was heard or said.
    pub(crate) fn idle(&self) -> u32 {
        self.since(&self.heard).min(self.since(&self.said))
    }

    /// What is due now. A peer that cannot be heard is not given up for its silence, but the server's word that it
    /// is gone still comes in answer to a question.
    pub(crate) fn due(&self, can_hear: bool) -> Due {
        let silent = self.since(&self.heard);
        if can_hear && silent >= self.clock.give_up_after {
            return Due::End;
        }
        if silent < self.clock.ask_after || self.since(&self.asked) < self.clock.ask_every {
            return Due::Nothing;
        }
        self.asked.store(self.clock.now(), Ordering::Relaxed);
        Due::Question
    }

    fn since(&self, then: &AtomicU32) -> u32 {
        self.clock.now().wrapping_sub(then.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dues(pulse: &Pulse, ticks: u32, can_hear: bool) -> Vec<(u32, Due)> {
        let tick = |_| {
            let now = pulse.clock.now.fetch_add(1, Ordering::Relaxed) + 1;
            (now, pulse.due(can_hear))
        };
        (0..ticks)
            .map(tick)
            .filter(|(_, due)| *due != Due::Nothing)
            .collect()
    }

    #[test]
    fn a_silent_peer_is_asked_three_times_and_given_up_within_fifteen_seconds() {
        let pulse = Pulse::new(Clock::new(Duration::from_secs(15)));
        let expected = [
            (5, Due::Question),
            (9, Due::Question),
            (13, Due::Question),
            (14, Due::End),
        ];
        assert_eq!(dues(&pulse, 14, true), expected);
    }

    #[test]
    fn a_shorter_limit_is_kept_as_well() {
        for limit in 3..60 {
            let pulse = Pulse::new(Clock::new(Duration::from_secs(limit)));
            let dues = dues(&pulse, limit as u32 - 1, true);
            let (end, questions) = dues.split_last().unwrap();
            assert_eq!(end.1, Due::End, "{limit}: {dues:?}");
            assert!(
                questions.iter().all(|(_, due)| *due == Due::Question),
                "{limit}: {dues:?}"
            );
            assert!(!questions.is_empty(), "{limit}: {dues:?}");
        }
    }

    #[test]
    fn one_that_answers_is_asked_every_five_seconds() {
        let pulse = Pulse::new(Clock::new(Duration::from_secs(15)));
        for round in 1..10 {
            assert_eq!(dues(&pulse, 5, true), [(round * 5, Due::Question)]);
            pulse.heard();
        }
    }

    #[test]
    fn one_that_cannot_be_heard_is_asked_and_not_given_up() {
        let pulse = Pulse::new(Clock::new(Duration::from_secs(15)));
        let dues = dues(&pulse, 60, false);
        assert!(dues.iter().all(|(_, due)| *due == Due::Question), "{dues:?}");
        assert_eq!(dues.len(), 14);
    }

    #[test]
    fn what_is_heard_or_said_ends_idleness() {
        let pulse = Pulse::new(Clock::new(Duration::from_secs(15)));
        pulse.clock.now.store(7, Ordering::Relaxed);
        assert_eq!(pulse.idle(), 7);
        pulse.said();
        assert_eq!(pulse.idle(), 0);
        pulse.clock.now.store(9, Ordering::Relaxed);
        pulse.heard();
        assert_eq!(pulse.idle(), 0);
    }
}
