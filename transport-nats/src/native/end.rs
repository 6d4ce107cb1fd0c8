//! One end of a socket, shared by its halves and by whatever brings something for it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Waker};

use micro_core::transport::CloseSignal;
use nats_common::Subject;
use parking_lot::Mutex;

use super::frame::Frame;
use super::groups::Group;
use super::history::History;
use super::incoming::{Incoming, Next};
use super::link::Link;
use super::out::Out;
use super::packet;
use super::window::WINDOW;
use crate::keeper::Pulse;
use crate::undelivered::Question;

mod fail;
mod hear;
mod send;
#[cfg(test)]
mod tests;
mod watch;

pub(crate) use send::Flushed;

/// One end of a socket.
///
/// Two locks: one for what comes in, and one for what goes out, which may be taken under the first, but not the other
/// way round.
pub(crate) struct End {
    pub(crate) link: Arc<Link>,
    /// Where messages go.
    pub(crate) remote: Subject,
    /// Of the dialling end: where answers come. It is how the listener tells its sockets apart.
    reply: Option<OnceLock<Subject>>,
    /// Whether anything has been sent: before, the peer knows nothing of a dialled socket.
    opened: AtomicBool,
    /// The process at the other end, and its epoch, once it has said hello.
    peer: OnceLock<(Arc<Group>, u64)>,
    /// Until then: when something was heard.
    pulse: Pulse,
    /// Set when nothing that is sent is read any more.
    pub(crate) closed: CloseSignal,
    incoming: Mutex<(Incoming, Option<Waker>)>,
    out: Mutex<Out>,
}

impl End {
    pub(crate) fn dialled(link: &Arc<Link>, remote: Subject) -> Self {
        End {
            reply: Some(OnceLock::new()),
            ..End::accepted(link, remote)
        }
        .with_history()
    }

    pub(crate) fn accepted(link: &Arc<Link>, remote: Subject) -> Self {
        End {
            link: link.clone(),
            remote,
            reply: None,
            opened: AtomicBool::new(false),
            peer: OnceLock::new(),
            pulse: link.pulse(),
            closed: CloseSignal::default(),
            incoming: Mutex::new((
                Incoming::new(WINDOW, link.max_content(), link.groups.messages()),
                None,
            )),
            out: Mutex::new(Out::new()),
        }
    }

    fn with_history(self) -> Self {
        self.out.lock().history = Some(History::default());
        self
    }

    /// Says where answers come.
    pub(crate) fn set_reply(&self, subject: Subject) {
        if let Some(reply) = &self.reply {
            reply.get_or_init(|| subject);
        }
    }

    /// Where answers come, for the dialling end.
    pub(crate) fn reply(&self) -> Option<&Subject> {
        self.reply.as_ref()?.get()
    }

    fn is_dialled(&self) -> bool {
        self.reply.is_some()
    }

    /// Whether the peer may know of this socket.
    pub(crate) fn is_open(&self) -> bool {
        !self.is_dialled() || self.opened.load(Ordering::Acquire)
    }

    /// What has to be asked to know how much reached nobody.
    pub(crate) fn question(&self) -> Question {
        Question {
            connection: self.link.connection.clone(),
            remote: self.remote.clone(),
            // Of a socket that does not exist: whoever is there says so.
            ask: Some(packet::single(1, &Frame::Ping)),
            heard_since: false,
        }
    }

    /// Changes what came in, and wakes the reader.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Incoming) -> T) -> T {
        let mut guard = self.incoming.lock();
        let result = change(&mut guard.0);
        let (reader, refused) = (guard.1.take(), guard.0.ending.is_refused());
        drop(guard);
        wake(reader);
        if refused {
            self.closed.set();
        }
        result
    }

    /// Looks at what came in.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Incoming) -> T) -> T {
        look(&self.incoming.lock().0)
    }

    /// What the reader finds, who is done with what cost `done`.
    pub(crate) fn next(self: &Arc<Self>, done: u64, context: &Context<'_>) -> Next {
        let mut guard = self.incoming.lock();
        let (incoming, reader) = &mut *guard;
        let (next, grant) = incoming.next(done);
        if matches!(next, Next::Wait) {
            match reader {
                Some(reader) => reader.clone_from(context.waker()),
                None => *reader = Some(context.waker().clone()),
            }
        }
        drop(guard);
        self.grant(grant);
        next
    }

    /// Lets the peer send on.
    fn grant(self: &Arc<Self>, grant: Option<u64>) {
        if grant.is_some() {
            let (packets, limit) = self.incoming.lock().0.taken();
            self.say(|out| out.owe_credit(limit, packets));
        }
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("End")
            .field("remote", &self.remote)
            .finish_non_exhaustive()
    }
}
