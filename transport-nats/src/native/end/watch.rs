//! Whether the peer is there.

use std::sync::Arc;

use micro_core::ErrorKind;

use super::End;
use crate::keeper::{Due, SILENT};
use crate::native::groups::Standing;

impl End {
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
