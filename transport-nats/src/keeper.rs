//! Notices peers that vanish without a word.
//!
//! One task for all sockets of a transport looks around once a second. A peer of ours that has been silent for a third
//! of the limit (15 s, unless it is set) is asked whether it is there, and again twice; one that has been silent for all
//! of it but a second is given up, so that a vanished peer ends every wait within the limit. In the native encoding a
//! peer is a process, whatever the number of sockets to it; in go-micro's, each idle socket asks for itself.
//!
//! A plain peer understands no question, and never says goodbye: its socket ends when nothing has been heard
//! from it or said to it for the listener's idle limit.

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

mod clock;
mod pulse;

pub(crate) use clock::Clock;
pub(crate) use pulse::{Due, Pulse};

const TICK: Duration = Duration::from_secs(1);

/// Why a peer is given up.
pub(crate) const SILENT: &str = "the peer has been silent for too long, and is given up";

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

    /// How many sockets there are.
    pub(crate) fn sockets(&self) -> usize {
        let Watched { ends, native, .. } = &*self.watched;
        let go_micro = ends.lock().iter().filter(|end| end.strong_count() > 0).count();
        go_micro + native.lock().iter().filter(|end| end.strong_count() > 0).count()
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
            self.clock.tick();
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
