//! The processes at the other end: each is asked whether it is there, whatever the number of sockets to it.
//!
//! A process is known by its *home*, a subject of its connection, and by its *epoch*, which counts how often it has lost
//! that connection. A socket belongs to the epoch in which its peer said hello: in a later one the peer does not have it
//! any more.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use nats_common::{Connection, Consumer, Incoming, Outgoing, Slot, Subject};
use parking_lot::Mutex;

use super::frame::{self, Frame, Sign};
use super::packet::{self, Packet};
use super::spare::Spare;
use crate::keeper::{Clock, Due, Pulse};

#[cfg(test)]
mod tests;

/// All processes that this one has sockets to, or had a moment ago.
#[derive(Debug)]
pub(crate) struct Groups {
    connection: Arc<Connection>,
    clock: Arc<Clock>,
    /// Each until a tick of the clock finds that nobody has a socket to it: mostly somebody dials again before.
    by_home: Mutex<HashMap<String, Arc<Group>>>,
    messages: Arc<Spare>,
    packets: Arc<Spare>,
}

/// One process at the other end.
pub(crate) struct Group {
    home: Subject,
    pulse: Pulse,
    /// The latest known.
    epoch: AtomicU64,
    gone: AtomicBool,
    silent: AtomicBool,
    /// Where answers to questions come, once there was one.
    answers: OnceLock<Slot>,
}

/// How a process stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is there, as far as is known.
    There,
    /// The server says that it is not.
    Gone,
    /// It has not answered for too long.
    Silent,
    /// It has lost its connection since, and the sockets with it.
    Later,
}

impl Groups {
    pub(crate) fn new(connection: &Arc<Connection>, clock: &Arc<Clock>) -> Self {
        Groups {
            connection: connection.clone(),
            clock: clock.clone(),
            by_home: Mutex::default(),
            messages: Spare::messages(),
            packets: Spare::packets(),
        }
    }

    pub(crate) fn pulse(&self) -> Pulse {
        Pulse::new(self.clock.clone())
    }

    /// Memory of messages that sockets have left.
    pub(super) fn messages(&self) -> &Arc<Spare> {
        &self.messages
    }

    /// Memory of packets that have left.
    pub(super) fn packets(&self) -> &Arc<Spare> {
        &self.packets
    }

    /// The group of whoever signs like this.
    pub(crate) fn join(&self, sign: Sign<'_>) -> Arc<Group> {
        let mut by_home = self.by_home.lock();
        let group = match by_home.get(sign.home) {
            Some(group) => group.clone(),
            None => {
                let group = Arc::new(Group::new(Subject::from(sign.home), self.pulse()));
                by_home.insert(sign.home.to_owned(), group.clone());
                group
            }
        };
        drop(by_home);
        group.heard(sign.epoch);
        group
    }

    /// Asks those that have been silent, and frees memory that nobody wants.
    pub(crate) fn look_around(&self) {
        self.messages.tick();
        self.packets.tick();
        for group in self.in_use() {
            match group.pulse.due(true) {
                Due::Nothing => {}
                Due::Question => group.ask(&self.connection),
                Due::End => group.silent.store(true, Ordering::Relaxed),
            }
        }
    }

    /// Those that somebody has a socket to; the others are forgotten.
    fn in_use(&self) -> Vec<Arc<Group>> {
        let mut by_home = self.by_home.lock();
        by_home.retain(|_, group| Arc::strong_count(group) > 1);
        by_home.values().cloned().collect()
    }
}

impl Group {
    fn new(home: Subject, pulse: Pulse) -> Self {
        Group {
            home,
            pulse,
            epoch: AtomicU64::new(0),
            gone: AtomicBool::new(false),
            silent: AtomicBool::new(false),
            answers: OnceLock::new(),
        }
    }

    /// Where it takes words.
    pub(crate) fn home(&self) -> &Subject {
        &self.home
    }

    /// Something came from it.
    pub(crate) fn beat(&self) {
        self.pulse.heard();
    }

    /// How it stands, for a socket of this epoch.
    pub(crate) fn standing(&self, epoch: u64) -> Standing {
        if self.gone.load(Ordering::Relaxed) {
            return Standing::Gone;
        }
        if self.epoch.load(Ordering::Relaxed) > epoch {
            return Standing::Later;
        }
        match self.silent.load(Ordering::Relaxed) {
            true => Standing::Silent,
            false => Standing::There,
        }
    }

    fn heard(&self, epoch: u64) {
        self.beat();
        self.epoch.fetch_max(epoch, Ordering::Relaxed);
        self.gone.store(false, Ordering::Relaxed);
        self.silent.store(false, Ordering::Relaxed);
    }

    fn ask(self: &Arc<Self>, connection: &Arc<Connection>) {
        let answers = self
            .answers
            .get_or_init(|| connection.slot(Arc::new(Answers(Arc::downgrade(self)))));
        let ping = Outgoing::new(self.home.clone(), packet::single(0, &Frame::Ping));
        connection.publish_now(ping.with_reply(answers.subject().clone()));
    }
}

/// What comes in answer to questions.
struct Answers(Weak<Group>);

impl Consumer for Answers {
    fn take(&self, incoming: Incoming) {
        let Some(group) = self.0.upgrade() else { return };
        match incoming {
            Incoming::NoResponders => group.gone.store(true, Ordering::Relaxed),
            Incoming::Message(message) => {
                let Ok(packet) = Packet::open(&message.payload) else {
                    return;
                };
                if let Some(Frame::Pong(sign)) = frame::take(&mut &packet.frames[..])
                    && sign.home == group.home.as_str()
                {
                    group.heard(sign.epoch);
                }
            }
            _ => {}
        }
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("home", &self.home)
            .finish_non_exhaustive()
    }
}
