//! What is heard from the peer.

use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;

use super::{End, wake};
use crate::native::breach::Breach;
use crate::native::frame::{Hello, Reason};
use crate::native::incoming::{Incoming, News, Way};
use crate::native::out::Due;
use crate::native::packet::{Packet, Unreadable};

/// What a packet said, and what the peer is owed for it.
type Taken<'a> = Result<(News<'a>, Owed), Breach>;

/// What the peer has to be told of how far it may send.
#[derive(Clone, Copy, Debug)]
enum Owed {
    Nothing,
    /// That it may send on.
    Credit,
    /// The same, unless it was told anything before.
    FirstWord,
}

impl End {
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
        let (taken, reader) = self.take_packet(&packet, way);
        match taken {
            Ok((news, owed)) => self.on_news(news, owed),
            Err(breach) => self.breach(breach),
        }
        wake(reader);
    }

    /// What the packet says, and whom it wakes: only what is to be read wakes the reader.
    fn take_packet<'a>(&self, packet: &'a Packet, way: Way) -> (Taken<'a>, Option<Waker>) {
        let mut guard = self.incoming.lock();
        let news = guard.0.take(packet, way);
        // Before anybody can read what came with it, and relies on what it says.
        if let Ok(News {
            hello: Some(hello), ..
        }) = news
        {
            self.meet(hello);
        }
        let reader = if guard.0.has_something() {
            guard.1.take()
        } else {
            None
        };
        let owed = |news: &News<'_>| match (news.grant.is_some(), guard.0.is_news()) {
            (true, _) => Owed::Credit,
            (false, true) => Owed::FirstWord,
            (false, false) => Owed::Nothing,
        };
        let taken = news.map(|news| {
            let owed = owed(&news);
            (news, owed)
        });
        (taken, reader)
    }

    /// Learns who the peer is, once.
    fn meet(&self, hello: Hello<'_>) {
        self.peer.get_or_init(|| {
            self.out.lock().max_message = hello.max_message;
            (self.link.groups.join(hello.sign), hello.sign.epoch)
        });
    }

    fn on_news(self: &Arc<Self>, news: News<'_>, owed: Owed) {
        if let Some((reason, text)) = news.reset {
            return self.on_reset(reason, text);
        }
        if let Some(hello) = news.hello {
            self.on_credit(hello.limit, 0);
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
        let is_owed = match owed {
            Owed::Nothing => false,
            Owed::Credit => true,
            Owed::FirstWord => self.out.lock().is_silent(),
        };
        if is_owed {
            let (packets, limit) = self.look(Incoming::taken);
            self.say(|out| out.owe_credit(limit, packets));
        }
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
        out.due = Due::default();
        out.muted = true;
    }
}
