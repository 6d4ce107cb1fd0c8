//! Sorts what comes to an address.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use micro_core::{Address, Result, Socket};
use nats_common::{Connection, Consumer, Denial, DeniedAction, Incoming, Message};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::table::{Table, Tenant};
use crate::config::Encoding;
use crate::control::Word;
use crate::ignored::Counters;
use crate::keeper::{Keeper, Limits};
use crate::native::{self, Home, Link};

mod envelopes;
mod packets;

/// What a listener is made of.
pub(crate) struct Terms {
    pub(crate) connection: Arc<Connection>,
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) encoding: Encoding,
    pub(crate) limits: Limits,
}

/// Sorts what comes to the address, in whatever encoding.
pub(crate) struct Desk {
    pub(super) connection: Arc<Connection>,
    keeper: Arc<Keeper>,
    counters: Arc<Counters>,
    pub(super) address: Address,
    max_sockets: usize,
    table: Arc<Table>,
    link: Arc<Link>,
    accepted: Mutex<Option<mpsc::Sender<Result<Socket>>>>,
    leaving: AtomicBool,
}

impl Desk {
    pub(super) fn new(terms: Terms, address: Address, accepted: mpsc::Sender<Result<Socket>>) -> Self {
        let (table, link) = open_home(&terms);
        Desk {
            connection: terms.connection,
            keeper: terms.keeper,
            counters: terms.counters,
            address,
            max_sockets: terms.limits.sockets,
            table,
            link,
            accepted: Mutex::new(Some(accepted)),
            leaving: AtomicBool::new(false),
        }
    }

    /// Tells every peer that understands that the address is about to be left.
    pub(super) fn announce(&self) {
        self.leaving.store(true, Ordering::Release);
        self.for_all(|tenant| match tenant {
            Tenant::GoMicro(end) => end.tell(Word::Leave),
            Tenant::Native(end) => end.say_goaway(),
        });
    }

    /// Nothing more comes to the address.
    pub(super) fn deafen(&self) {
        self.for_all(|tenant| match tenant {
            Tenant::GoMicro(end) => end.change(crate::state::State::deafen),
            Tenant::Native(end) => end.deafen(),
        });
    }

    fn on_message(&self, message: Message) {
        match native::is_native(&message.payload) {
            true => self.on_packet(message),
            false => self.on_envelope(message),
        }
    }

    fn on_unaddressed(&self, payload: &[u8]) {
        // What is empty is our own: it helps to leave.
        if !payload.is_empty() {
            Counters::count(&self.counters.unaddressed);
            tracing::debug!(address = %self.address, "ignored a message without a reply subject");
        }
    }

    fn count_refused(&self) {
        Counters::count(&self.counters.refused);
        let open = self.table.len();
        tracing::warn!(address = %self.address, open, "refused a socket: too many are open, or wait to be accepted");
    }

    /// Whether a socket more would be one too many. Only what is taken here opens any, so there is no race.
    fn is_full(&self) -> bool {
        let accepted = self.accepted.lock();
        let backlog_is_full = accepted.as_ref().is_some_and(|accepted| accepted.capacity() == 0);
        backlog_is_full || self.table.len() >= self.max_sockets
    }

    fn hand_out(&self, socket: Result<Socket>) -> bool {
        let accepted = self.accepted.lock().clone();
        accepted.is_some_and(|accepted| accepted.try_send(socket).is_ok())
    }

    fn for_all(&self, each: impl Fn(&Tenant)) {
        for tenant in self.table.all() {
            each(&tenant);
        }
    }

    fn on_disconnect(&self) {
        self.for_all(|tenant| match tenant {
            Tenant::GoMicro(end) => end.on_disconnect(),
            Tenant::Native(end) => end.on_disconnect(),
        });
    }

    /// Whose they were is not known.
    fn on_loss(&self, count: u64) {
        self.for_all(|tenant| match tenant {
            Tenant::GoMicro(end) => end.on_loss(count),
            Tenant::Native(end) => end.on_loss(count),
        });
    }

    fn on_denial(&self, denial: &Denial) {
        match denial.action {
            DeniedAction::Publish => self.for_all(|tenant| match tenant {
                Tenant::GoMicro(end) => end.on_denial(denial),
                Tenant::Native(end) => end.on_denial(denial),
            }),
            DeniedAction::Subscribe if denial.ends(self.address.as_str(), None) => {
                self.hand_out(Err(denial.error().with_operation("accept")));
            }
            DeniedAction::Subscribe => {}
        }
    }
}

impl Consumer for Desk {
    fn take(&self, incoming: Incoming) {
        match incoming {
            Incoming::Message(message) => self.on_message(message),
            Incoming::Disconnected => self.on_disconnect(),
            Incoming::Lost(count) => self.on_loss(count),
            Incoming::Denied(denial) => self.on_denial(&denial),
            Incoming::Ended => drop(self.accepted.lock().take()),
            _ => {}
        }
    }
}

/// A table, and a home that is open as long as it.
fn open_home(terms: &Terms) -> (Arc<Table>, Arc<Link>) {
    let table = Arc::new(Table::default());
    let (sockets, groups) = (Arc::downgrade(&table), terms.keeper.groups());
    let (slot, link) = Home::open(
        &terms.connection,
        move |message| packets::take_at_home(&sockets, message),
        |home| {
            Link::new(
                &terms.connection,
                &terms.counters,
                groups,
                home,
                terms.limits.max_message,
            )
        },
    );
    table.set_home(slot);
    (table, link)
}
