//! What comes for one end of a socket, where it is not sorted by a listener.

use std::sync::{Arc, Weak};

use micro_core::ErrorKind;
use nats_common::{Consumer, Incoming};

use crate::end::End;
use crate::state::State;

/// What comes to the dialling end's reply subject.
pub(crate) struct Dialled(pub(crate) Arc<End>);

impl Consumer for Dialled {
    fn take(&self, incoming: Incoming) {
        let end = &self.0;
        match incoming {
            Incoming::Message(message) => end.on_message(message),
            Incoming::NoResponders => end.change(State::reached_nobody),
            Incoming::Lost(count) => end.on_loss(count),
            Incoming::Disconnected => end.on_disconnect(),
            Incoming::Denied(denial) => end.on_denial(&denial),
            Incoming::Ended => end.fail(ErrorKind::Closed, "the NATS connection has ended"),
            _ => {}
        }
    }
}

/// What comes in answer to pings.
pub(crate) struct Probe(pub(crate) Weak<End>);

impl Consumer for Probe {
    fn take(&self, incoming: Incoming) {
        let Some(end) = self.0.upgrade() else { return };
        match incoming {
            Incoming::NoResponders if end.is_dialled() => end.change(State::gone),
            Incoming::NoResponders => end.fail(ErrorKind::Unavailable, "the peer is gone"),
            Incoming::Message(message) => end.on_message(message),
            _ => {}
        }
    }
}
