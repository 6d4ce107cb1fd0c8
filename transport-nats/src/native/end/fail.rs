//! What ends a socket before its peer does.

use std::sync::Arc;

use micro_core::{Error, ErrorKind};
use nats_common::{Denial, DeniedAction};

use super::{End, wake};
use crate::ending::Failure;
use crate::ignored::Counters;
use crate::native::breach::Breach;
use crate::native::frame::Reason;
use crate::native::history::History;

impl End {
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

    pub(crate) fn on_loss(self: &Arc<Self>, count: u64) {
        let text = "this process fell behind, and what came in for it was dropped";
        self.fail(ErrorKind::Lagged(count), text);
        // Who sends would wait for credit for ever: what comes from now on is read by nobody.
        self.say(|out| out.due.reset = Some((Reason::Lost, "the process fell behind")));
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

    pub(super) fn fail_with(&self, kind: ErrorKind, text: &'static str, nothing_read: bool) {
        let unsent = self.refuse(false);
        let undelivered = match nothing_read {
            true => usize::try_from(self.out.lock().fed).unwrap_or(usize::MAX),
            false => unsent,
        };
        let failure = Failure::new(kind, text).with_undelivered(undelivered);
        self.change(|incoming| incoming.ending.fail(failure));
    }

    /// Takes no more messages; how many were dropped.
    pub(super) fn refuse(&self, counting: bool) -> usize {
        let mut out = self.out.lock();
        let unsent = out.refuse(counting);
        wake(out.writer.take());
        unsent
    }

    /// Something could not be sent, so nothing may follow. Whoever sent it is told, so that it counts as not sent, and
    /// nothing is claimed of it.
    pub(crate) fn fail_send(&self, error: Error) {
        self.refuse(false);
        let failure = Failure::new(error.kind(), error.message().to_owned());
        self.change(|incoming| incoming.ending.fail(failure));
    }
}
