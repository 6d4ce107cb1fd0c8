//! One end of a socket, shared by its halves and by whatever brings something for it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Waker};

use bytes::Bytes;
use micro_core::{Error, ErrorKind};
use nats_common::{Denial, DeniedAction, Outgoing, Source, Subject};
use parking_lot::Mutex;

use super::breach::Breach;
use super::frame::{self, Frame, Hello, Reason};
use super::groups::{Group, Standing};
use super::history::History;
use super::incoming::{Incoming, News, Next, Way};
use super::link::Link;
use super::out::{Out, Style};
use super::packet::{self, Packet, Unreadable};
use super::window::WINDOW;
use crate::ending::Failure;
use crate::ignored::Counters;
use crate::keeper::{Due, Pulse};
use crate::undelivered::Question;

/// One end of a socket.
///
/// Two locks, of which never both are held: one for what comes in, one for what goes out.
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
    incoming: Mutex<(Incoming, Option<Waker>)>,
    out: Mutex<Out>,
}

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
enum Sent {
    /// What can be sent now has been.
    Done,
    /// The rest will be, when there is room.
    Waits,
    /// It cannot be.
    Broken(Error),
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
            incoming: Mutex::new((Incoming::new(WINDOW, link.max_content()), None)),
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
    fn is_open(&self) -> bool {
        !self.is_dialled() || self.opened.load(Ordering::Acquire)
    }

    // What comes in.

    /// Takes a packet in.
    pub(crate) fn take(self: &Arc<Self>, payload: &Bytes, way: Way) {
        self.pulse.heard();
        if let Some((group, _)) = self.peer.get() {
            group.beat();
        }
        let packet = match Packet::open(payload) {
            Ok(packet) => packet,
            Err(Unreadable::Version(_)) => return self.breach(Breach::Version),
            Err(Unreadable::Truncated) => return self.breach(Breach::Malformed),
        };
        let (news, reader) = self.take_packet(&packet, way);
        match news {
            Ok(news) => self.on_news(news),
            Err(breach) => self.breach(breach),
        }
        // Only now: who has read an answer may rely on what its packet says of the peer.
        wake(reader);
    }

    /// What the packet says, and whom it wakes: only what is to be read wakes the reader.
    fn take_packet<'a>(&self, packet: &'a Packet, way: Way) -> (Result<News<'a>, Breach>, Option<Waker>) {
        let mut guard = self.incoming.lock();
        let news = guard.0.take(packet, way);
        let reader = if guard.0.has_something() {
            guard.1.take()
        } else {
            None
        };
        (news, reader)
    }

    fn on_news(self: &Arc<Self>, news: News<'_>) {
        if let Some((reason, text)) = news.reset {
            return self.on_reset(reason, text);
        }
        if let Some(hello) = news.hello {
            self.on_hello(hello);
        }
        if let Some((limit, packets)) = news.credit {
            self.on_credit(limit, packets);
        }
        if news.goaway {
            self.on_goaway();
        }
        if let Some(read) = news.stop {
            self.on_stop(read);
        }
        if news.fin {
            self.change(|incoming| incoming.ending.finished());
        }
        if news.ping {
            self.say(|out| out.due.pong = true);
        }
        let (news_of_window, packets, limit) = self.look(|incoming| {
            let (packets, limit) = incoming.taken();
            (incoming.is_news(), packets, limit)
        });
        if news.grant.is_some() || news_of_window && self.out.lock().is_silent() {
            self.say(|out| out.owe_credit(limit, packets));
        }
    }

    fn on_hello(self: &Arc<Self>, hello: Hello<'_>) {
        let group = self.link.groups.join(hello.sign);
        self.peer.get_or_init(|| (group, hello.sign.epoch));
        self.out.lock().max_message = hello.max_message;
        self.on_credit(hello.limit, 0);
    }

    fn on_credit(self: &Arc<Self>, limit: u64, packets: u64) {
        let mut out = self.out.lock();
        out.limit = out.limit.max(limit);
        if let Some(history) = &mut out.history {
            history.forget_before(packets);
        }
        if !out.wants_credit() {
            return;
        }
        // Also what its writer has left here.
        let sent = self.send(&mut out, true);
        let writer = out.writer.take();
        drop(out);
        wake(writer);
        self.note(sent);
    }

    fn on_goaway(self: &Arc<Self>) {
        let unsent = {
            // At once, so that no message follows the words to its home.
            let mut out = self.out.lock();
            out.leaving = true;
            wake(out.writer.take());
            out.refuse(false)
        };
        self.change(|incoming| {
            incoming.ending.not_sent(unsent);
            incoming.ending.left();
            if unsent > 0 {
                incoming.ending.gone();
            }
        });
        // Words that are on their way to the address may be lost. This one is needed.
        let (packets, limit) = self.incoming.lock().0.taken();
        self.say(|out| out.owe_credit(limit, packets));
    }

    fn on_stop(&self, read: u64) {
        let (unsent, fed) = {
            let mut out = self.out.lock();
            let unsent = out.refuse(true);
            wake(out.writer.take());
            (unsent, out.fed)
        };
        self.change(|incoming| {
            let left = usize::try_from(fed.saturating_sub(read)).unwrap_or(usize::MAX);
            let known = unsent + incoming.ending.unreached();
            incoming.ending.not_sent(unsent);
            incoming.ending.stopped(left.saturating_sub(known));
        });
    }

    fn on_reset(&self, reason: Reason, text: &str) {
        let (kind, meaning) = reason.explain();
        tracing::debug!(remote = %self.remote, ?reason, text, "the peer has given up a socket");
        self.fail_with(kind, meaning, reason == Reason::Refused);
        let mut out = self.out.lock();
        out.due = super::out::Due::default();
        out.muted = true;
    }

    /// The server could hand a packet of ours to nobody.
    pub(crate) fn on_no_responders(&self) {
        let (messages, unsent) = {
            let mut out = self.out.lock();
            let messages = out.history.as_mut().map_or(0, History::pop) as usize;
            if messages == 0 && out.leaving {
                return;
            }
            // Words would only add to what is counted, and nobody is there to hear them.
            out.muted |= !out.leaving;
            wake(out.writer.take());
            (messages, out.refuse(false))
        };
        self.change(|incoming| {
            incoming.ending.not_sent(unsent);
            incoming.ending.reached_nobody(messages);
        });
    }

    pub(crate) fn on_disconnect(&self) {
        // Of a socket that nothing was sent on, nothing can be lost.
        if self.is_open() {
            let text = "the NATS connection was lost, and what was on its way may be lost with it";
            self.fail(ErrorKind::Unavailable, text);
        }
    }

    pub(crate) fn on_loss(&self, count: u64) {
        let text = "this process fell behind, and what came in for it was dropped";
        self.fail(ErrorKind::Lagged(count), text);
    }

    pub(crate) fn on_denial(&self, denial: &Denial) {
        if denial.action == DeniedAction::Publish && denial.subject == self.remote.as_str() {
            let text = denial.error().message().to_owned();
            self.refuse(false);
            self.change(|incoming| {
                incoming
                    .ending
                    .fail(Failure::new(ErrorKind::PermissionDenied, text))
            });
        }
    }

    /// Nothing more comes to the address: the listener has left it.
    pub(crate) fn deafen(&self) {
        self.change(|incoming| incoming.ending.deafen());
    }

    /// The peer does what it must not: this socket is given up.
    pub(crate) fn breach(self: &Arc<Self>, breach: Breach) {
        Counters::count(breach.counter(&self.link.counters));
        tracing::warn!(remote = %self.remote, "a socket is given up: {}", breach.text());
        let failure = breach.failure();
        let unsent = self.refuse(false);
        self.change(|incoming| incoming.ending.fail(failure.with_undelivered(unsent)));
        self.say(|out| out.due.reset = Some((breach.reason(), breach.text())));
    }

    pub(crate) fn fail(&self, kind: ErrorKind, text: &'static str) {
        self.fail_with(kind, text, false);
    }

    fn fail_with(&self, kind: ErrorKind, text: &'static str, nothing_read: bool) {
        let unsent = self.refuse(false);
        let undelivered = match nothing_read {
            true => usize::try_from(self.out.lock().fed).unwrap_or(usize::MAX),
            false => unsent,
        };
        let failure = Failure::new(kind, text).with_undelivered(undelivered);
        self.change(|incoming| incoming.ending.fail(failure));
    }

    /// Takes no more messages; how many were dropped.
    fn refuse(&self, counting: bool) -> usize {
        let mut out = self.out.lock();
        let unsent = out.refuse(counting);
        wake(out.writer.take());
        unsent
    }

    // What is read.

    /// Changes what came in, and wakes the reader.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Incoming) -> T) -> T {
        let mut guard = self.incoming.lock();
        let result = change(&mut guard.0);
        let reader = guard.1.take();
        drop(guard);
        wake(reader);
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

    // What goes out.

    /// Says a word, now.
    pub(crate) fn say(self: &Arc<Self>, word: impl FnOnce(&mut Out)) {
        let mut out = self.out.lock();
        word(&mut out);
        let sent = self.send(&mut out, true);
        drop(out);
        self.note(sent);
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

    /// Whether the peer may know of this socket, and has anything to learn of its end.
    pub(crate) fn can_be_told(&self) -> bool {
        self.is_open()
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
        })
    }

    /// Publishes what is ready, one packet after the other.
    fn send(self: &Arc<Self>, out: &mut Out, all: bool) -> Sent {
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

    fn note(&self, sent: Sent) {
        if let Sent::Broken(error) = sent {
            self.fail_send(error);
        }
    }

    /// Something could not be sent, so nothing may follow. Whoever sent it is told, so that it counts as not sent, and
    /// nothing is claimed of it.
    pub(crate) fn fail_send(&self, error: Error) {
        self.refuse(false);
        let failure = Failure::new(error.kind(), error.message().to_owned());
        self.change(|incoming| incoming.ending.fail(failure));
    }

    // Whether the peer is there.

    /// Looks whether the peer is there; whether it has to be looked after any longer.
    pub(crate) fn look_after(self: &Arc<Self>) -> bool {
        if !self.look(|incoming| incoming.ending.is_live()) {
            return false;
        }
        match self.peer.get() {
            Some((group, epoch)) => self.look_after_group(group.standing(*epoch)),
            None if self.is_open() => self.look_after_alone(),
            None => {}
        }
        true
    }

    fn look_after_group(&self, standing: Standing) {
        match standing {
            Standing::There => {}
            Standing::Gone if self.is_dialled() => {
                let unsent = self.refuse(false);
                self.change(|incoming| {
                    incoming.ending.not_sent(unsent);
                    incoming.ending.gone();
                });
            }
            Standing::Gone => self.fail(ErrorKind::Unavailable, "the peer is gone"),
            Standing::Silent => self.fail(ErrorKind::Unavailable, SILENT),
            Standing::Later => self.fail(
                ErrorKind::Unavailable,
                "the peer has lost its NATS connection, and this socket with it",
            ),
        }
    }

    fn look_after_alone(self: &Arc<Self>) {
        match self.pulse.due(true) {
            Due::Nothing => {}
            Due::Question => self.say(|out| out.due.ping = true),
            Due::End => self.fail(ErrorKind::Unavailable, SILENT),
        }
    }
}

const SILENT: &str = "the peer has been silent for too long, and is given up";

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
