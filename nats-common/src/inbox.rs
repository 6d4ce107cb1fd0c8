//! One wildcard subscription for all replies, told apart in the process.

use std::fmt;
use std::sync::Arc;

use async_nats::{Message, StatusCode, Subject};
use micro_core::Result;

use crate::connection::Connection;
use crate::consumer::{Consumer, Incoming};
use crate::outbox::{Outbox, Outgoing};
use crate::switchboard::Switchboard;

/// The last token of the subject that fences go to.
const FENCE: &str = "fence";

/// Takes what comes in on `prefix*`, and passes it on by the token in place of the `*`.
pub(crate) struct Router {
    pub(crate) board: Arc<Switchboard>,
    pub(crate) outbox: Arc<Outbox>,
}

impl Router {
    fn route(&self, message: Message) {
        let token = message.subject.strip_prefix(self.board.prefix.as_str());
        match token.map(|token| (token, token.parse::<u64>())) {
            Some((_, Ok(number))) => self.board.deliver(number, classify(message)),
            Some((FENCE, _)) => self.fence_is_back(&message.payload),
            _ => self.board.count_stray(),
        }
    }

    fn fence_is_back(&self, payload: &[u8]) {
        let number = std::str::from_utf8(payload)
            .ok()
            .and_then(|text| text.parse().ok());
        let next = number.and_then(|number| self.board.fence_answered(number));
        if let Some(next) = next {
            self.outbox.publish_now(fence(&self.board, next));
        }
    }
}

impl Consumer for Router {
    fn take(&self, incoming: Incoming) {
        match incoming {
            Incoming::Message(message) => self.route(message),
            // Whose they were is not known, so everybody has to think that some were his.
            Incoming::Lost(count) => self.board.broadcast_to_mailboxes(&Incoming::Lost(count)),
            // The switchboard tells the mailboxes itself.
            _ => {}
        }
    }
}

/// The message that asks for a fence.
pub(crate) fn fence(board: &Switchboard, number: u64) -> Outgoing {
    let subject = format!("{}{FENCE}", board.prefix);
    Outgoing::new(subject, number.to_string())
}

fn classify(message: Message) -> Incoming {
    if message.status == Some(StatusCode::NO_RESPONDERS) {
        Incoming::NoResponders
    } else {
        Incoming::Message(message)
    }
}

/// A reply subject of one's own, whose messages go to a [`Consumer`]. It holds its connection.
///
/// It costs an entry in a table: nothing is sent, and nothing subscribed. Dropping it removes the entry; what
/// comes later is counted as stray. Its subject is never given to another.
pub struct Slot {
    number: u64,
    subject: Subject,
    connection: Arc<Connection>,
}

impl Slot {
    /// Where to reply to.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.connection.board().remove_mailbox(self.number);
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// A reply subject whose messages go to `consumer`.
    pub fn slot(self: &Arc<Self>, consumer: Arc<dyn Consumer>) -> Slot {
        let number = self.board().add_mailbox(consumer);
        Slot {
            number,
            // Not formatted: that took as long as half of all else here.
            subject: [&self.board().prefix, itoa::Buffer::new().format(number)]
                .concat()
                .into(),
            connection: self.clone(),
        }
    }

    /// Waits until the server has processed everything that was sent before on this connection.
    ///
    /// What the server itself answers to that (no responders, a denied permission) has come in by then. Costs one
    /// round trip; those who ask at the same time share it.
    ///
    /// # Errors
    /// [`Unavailable`](micro_core::ErrorKind::Unavailable) when the connection was lost meanwhile, or was not
    /// there for 5 s; [`PermissionDenied`](micro_core::ErrorKind::PermissionDenied) when the server refuses the
    /// reply subjects of this connection.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn fence(&self) -> Result<()> {
        crate::outbox::fence(self.outbox()).await
    }
}
