//! What the two halves of a socket hold together.

use std::sync::Arc;

use micro_core::{Address, Error, ErrorKind, Result, Socket};
use nats_common::{Connection, Slot, Subject};

use crate::end::End;
use crate::inbound::Dialled;
use crate::keeper::Keeper;
use crate::listener::Row;
use crate::peer::Peer;
use crate::receiver::Receiver;
use crate::sender::Sender;

/// What the halves of a socket hold together. The last of them gives it up.
pub(crate) struct Hold {
    pub(crate) end: Arc<End>,
    _place: Place,
    _keeper: Arc<Keeper>,
}

/// Where messages for a socket come in.
pub(crate) enum Place {
    /// A reply subject of one's own.
    Slot(#[allow(dead_code, reason = "held for its drop")] Slot),
    /// A row in the listener's table.
    Row(#[allow(dead_code, reason = "held for its drop")] Row),
}

impl Hold {
    pub(crate) fn dial(
        connection: &Arc<Connection>,
        keeper: &Arc<Keeper>,
        peer: Peer,
        remote: Subject,
    ) -> Self {
        let end = Arc::new(End::dialled(connection, keeper, peer, remote));
        let slot = connection.slot(Arc::new(Dialled(end.clone())));
        if let Some(key) = &end.key {
            key.get_or_init(|| slot.subject().clone());
        }
        Hold::new(end, Place::Slot(slot), keeper)
    }

    pub(crate) fn new(end: Arc<End>, place: Place, keeper: &Arc<Keeper>) -> Self {
        keeper.watch(&end);
        Hold {
            end,
            _place: place,
            _keeper: keeper.clone(),
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
}

/// The address of a dialling end: its reply subject, which it was given when it was made.
pub(crate) fn answers_come_to(reply: Option<&Subject>) -> Result<Address> {
    match reply {
        Some(subject) => Address::new(subject.as_str()),
        None => Err(Error::new(
            ErrorKind::Internal,
            "a socket without a reply subject",
        )),
    }
}
