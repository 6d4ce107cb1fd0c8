//! What comes to the dialling end's reply subject.

use std::sync::Arc;

use micro_core::ErrorKind;
use nats_common::{Consumer, Incoming};

use super::end::End;
use super::incoming::Way;

/// What comes to the dialling end's reply subject.
pub(crate) struct Dialled(pub(crate) Arc<End>);

impl Consumer for Dialled {
    fn take(&self, incoming: Incoming) {
        let end = &self.0;
        match incoming {
            Incoming::Message(message) => end.take(&message.payload, Way::Socket),
            Incoming::NoResponders => end.on_no_responders(),
            Incoming::Lost(count) => end.on_loss(count),
            Incoming::Disconnected => end.on_disconnect(),
            Incoming::Denied(denial) => end.on_denial(&denial),
            Incoming::Ended => end.fail(ErrorKind::Closed, "the NATS connection has ended"),
            _ => {}
        }
    }
}
