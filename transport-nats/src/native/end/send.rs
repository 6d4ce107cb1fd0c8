//! What goes out.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

use micro_core::Error;
use nats_common::{Outgoing, Source};

use super::{End, wake};
use crate::native::frame::{self, Frame};
use crate::native::out::{Out, Style};

/// What became of what a writer has fed.
pub(crate) enum Flushed {
    /// It has left, as far as was asked.
    Done,
    /// It waits for the connection.
    NoRoom,
    /// It waits for the peer.
    NoCredit,
    /// Nothing more is taken; whether all that was not dropped has left.
    Refused(bool),
}

/// What became of an attempt to send.
pub(super) enum Sent {
    /// What can be sent now has been.
    Done,
    /// The rest will be, when there is room.
    Waits,
    /// It cannot be.
    Broken(Error),
}

impl End {
    /// Says a word, now.
    pub(crate) fn say(self: &Arc<Self>, word: impl FnOnce(&mut Out)) {
        let mut out = self.out.lock();
        word(&mut out);
        let sent = self.send(&mut out, true);
        drop(out);
        self.note(sent);
    }

    /// Says a word a moment later, together with what is said meanwhile: from a drop, which others may follow.
    pub(crate) fn say_soon(self: &Arc<Self>, word: impl FnOnce(&mut Out)) {
        let mut out = self.out.lock();
        word(&mut out);
        // A peer that knows nothing of this socket needs to know nothing of its end.
        if out.with_courier || self.is_unknown(&out) || !out.has_something(true) {
            return;
        }
        out.with_courier = true;
        drop(out);
        self.link.connection.publish_from(self.clone());
    }

    /// Whether the peer knows nothing of this socket, and would not learn of it by what was fed either.
    fn is_unknown(&self, out: &Out) -> bool {
        !self.is_open() && out.is_unused()
    }

    /// Whether there is anybody to say the end to.
    pub(crate) fn has_begun(&self) -> bool {
        !self.is_unknown(&self.out.lock())
    }

    /// Tells the peer that the listener leaves its address.
    pub(crate) fn say_goaway(self: &Arc<Self>) {
        self.say(|out| out.due.goaway = true);
    }

    /// Works on what goes out, and sends what is full.
    pub(crate) fn write<T>(self: &Arc<Self>, work: impl FnOnce(&mut Out, &Style<'_>) -> T) -> T {
        let mut out = self.out.lock();
        let result = self.with_style(|style| work(&mut out, style));
        let sent = self.send(&mut out, false);
        drop(out);
        self.note(sent);
        result
    }

    /// Sends what can be sent, until `done`; when it is not, the writer is woken when it may be.
    pub(crate) fn flush_until(self: &Arc<Self>, done: impl Fn(&Out) -> bool, writer: &Waker) -> Flushed {
        let mut out = self.out.lock();
        if !out.refused && done(&out) {
            return Flushed::Done;
        }
        let sent = self.send(&mut out, true);
        let flushed = match (done(&out), out.with_courier) {
            _ if out.refused => Flushed::Refused(out.is_empty()),
            (true, _) => Flushed::Done,
            (false, true) => Flushed::NoRoom,
            (false, false) => Flushed::NoCredit,
        };
        if !matches!(flushed, Flushed::Done | Flushed::Refused(true)) {
            out.writer = Some(writer.clone());
        }
        drop(out);
        self.note(sent);
        flushed
    }

    /// Whether what was taken can only leave when the peer allows it.
    pub(crate) fn needs_credit(&self) -> bool {
        self.out.lock().waits_for_credit()
    }

    /// Whether something that was taken was dropped, because the peer takes no more.
    pub(crate) fn has_dropped(&self) -> bool {
        self.out.lock().dropped
    }

    fn with_style<T>(&self, work: impl FnOnce(&Style<'_>) -> T) -> T {
        work(&Style {
            max_payload: self.link.connection.max_payload(),
            hello: &|out| self.link.put_hello(out),
            socket: &|out| {
                if let Some(reply) = self.reply() {
                    frame::put(out, &Frame::Socket(reply.as_str()));
                }
            },
            pong: &|out| self.link.put_pong(out),
            packets: self.link.groups.packets(),
        })
    }

    /// Publishes what is ready, one packet after the other.
    pub(super) fn send(self: &Arc<Self>, out: &mut Out, all: bool) -> Sent {
        if out.with_courier {
            return Sent::Waits;
        }
        while out.sealed.is_some() || self.seal(out, all) {
            let Some(outgoing) = self.outgoing(out) else { break };
            match self.link.connection.try_publish(&outgoing) {
                Some(Ok(())) => drop(out.left()),
                Some(Err(error)) => {
                    out.muted = true;
                    return Sent::Broken(error);
                }
                None => {
                    out.with_courier = true;
                    self.link.connection.publish_from(self.clone());
                    return Sent::Waits;
                }
            }
        }
        Sent::Done
    }

    fn seal(&self, out: &mut Out, all: bool) -> bool {
        if !out.has_something(all) {
            return false;
        }
        // Before the epoch is looked up, so that a connection that is lost meanwhile is noticed.
        self.opened.store(true, Ordering::Release);
        self.with_style(|style| out.seal(all, style))
    }

    fn outgoing(&self, out: &Out) -> Option<Outgoing> {
        let sealed = out.sealed.as_ref()?;
        let payload = sealed.payload.clone();
        if out.leaving
            && let Some((group, _)) = self.peer.get()
        {
            return Some(Outgoing::new(group.home().clone(), payload));
        }
        let outgoing = Outgoing::new(self.remote.clone(), payload);
        Some(match self.reply() {
            Some(reply) => outgoing.with_reply(reply.clone()),
            None => outgoing,
        })
    }

    pub(super) fn note(&self, sent: Sent) {
        if let Sent::Broken(error) = sent {
            self.fail_send(error);
        }
    }
}

impl Source for End {
    /// The next packet, when there is room for it.
    fn next(&self) -> Option<Outgoing> {
        let mut out = self.out.lock();
        if out.sealed.is_none() && !self.seal(&mut out, true) {
            out.with_courier = false;
            wake(out.writer.take());
            return None;
        }
        let outgoing = self.outgoing(&out);
        out.left();
        outgoing
    }
}
