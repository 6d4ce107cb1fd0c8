//! What the two halves of a socket hold together.

use std::fmt;
use std::sync::Arc;

use micro_core::{Address, Result, Socket};
use nats_common::Subject;

use super::end::End;
use super::frame::Reason;
use super::inbound::Dialled;
use super::receiver::Receiver;
use super::sender::Sender;
use crate::keeper::Keeper;
use crate::socket::{Place, answers_come_to};

/// What the halves of a socket hold together. The last of them gives it up.
pub(crate) struct Hold {
    pub(crate) end: Arc<End>,
    _place: Place,
    keeper: Arc<Keeper>,
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold")
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

impl Hold {
    pub(crate) fn dial(keeper: &Arc<Keeper>, remote: Subject) -> Self {
        let link = keeper.link();
        let end = Arc::new(End::dialled(link, remote));
        let slot = link.connection.slot(Arc::new(Dialled(end.clone())));
        end.set_reply(slot.subject().clone());
        Hold::new(end, Place::Slot(slot), keeper)
    }

    pub(crate) fn new(end: Arc<End>, place: Place, keeper: &Arc<Keeper>) -> Self {
        keeper.watch_native(&end);
        Hold {
            end,
            _place: place,
            keeper: keeper.clone(),
        }
    }

    /// Where the dialling end gets its answers.
    pub(crate) fn local(&self) -> Result<Address> {
        answers_come_to(self.end.reply())
    }

    /// The socket that its user gets.
    pub(crate) fn into_socket(self, local: Address, remote: Address) -> Socket {
        let hold = Arc::new(self);
        let end = hold.end.clone();
        Socket::new(local, remote, Sender::new(hold.clone()), Receiver::new(hold))
            .with_closed(move || end.closed.wait())
    }

    /// Tells the peer that nothing more comes: a wanted end, or one by which something may have been lost. A peer that has
    /// left in both directions is told nothing.
    pub(crate) fn finish(&self) {
        self.end.closed.set();
        if !self.end.has_begun() || self.has_peer_left() {
            return;
        }
        let failed = self.end.look(|incoming| incoming.ending.has_failed());
        self.end.say(|out| match failed {
            true => out.due.reset = Some((Reason::Failed, "the other end has failed")),
            false => out.due.fin = true,
        });
    }

    /// Whether the peer neither sends nor reads anything more.
    pub(crate) fn has_peer_left(&self) -> bool {
        self.end.look(|incoming| incoming.ending.has_peer_left())
    }

    /// Stays until what was taken has left, when that needs the peer.
    pub(crate) fn linger(self: &Arc<Self>) {
        if self.end.needs_credit() {
            self.keeper.linger(self.clone());
        }
    }

    /// Whether there is nothing more to stay for.
    pub(crate) fn has_left(&self) -> bool {
        !self.end.needs_credit()
    }
}
