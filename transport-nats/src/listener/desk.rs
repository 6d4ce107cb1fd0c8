//! Sorts what comes to an address.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use micro_core::{Address, Result, Socket};
use nats_common::{Connection, Consumer, Denial, DeniedAction, Incoming, Message, Outgoing, Subject};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::table::Table;
use crate::control::{Control, Word};
use crate::encoding::{self, Encoding, Mark};
use crate::end::End;
use crate::ignored::Counters;
use crate::keeper::Keeper;
use crate::peer::Peer;
use crate::socket::{Hold, Place};
use crate::state::Pushed;

/// What a listener is made of.
pub(crate) struct Terms {
    pub(crate) connection: Arc<Connection>,
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) max_sockets: usize,
}

/// Sorts what comes to the address.
pub(crate) struct Desk {
    pub(super) connection: Arc<Connection>,
    keeper: Arc<Keeper>,
    counters: Arc<Counters>,
    pub(super) address: Address,
    max_sockets: usize,
    table: Arc<Table>,
    accepted: Mutex<Option<mpsc::Sender<Result<Socket>>>>,
    leaving: AtomicBool,
}

impl Desk {
    pub(super) fn new(terms: Terms, address: Address, accepted: mpsc::Sender<Result<Socket>>) -> Self {
        Desk {
            connection: terms.connection,
            keeper: terms.keeper,
            counters: terms.counters,
            address,
            max_sockets: terms.max_sockets,
            table: Arc::default(),
            accepted: Mutex::new(Some(accepted)),
            leaving: AtomicBool::new(false),
        }
    }

    /// Tells every peer that understands that the address is about to be left.
    pub(super) fn announce(&self) {
        self.leaving.store(true, Ordering::Release);
        self.for_all(|end| end.tell(Word::Leave));
    }

    fn on_message(&self, message: Message) {
        if let Some(control) = encoding::decode_control(&message.payload) {
            return self.on_control(control, message.reply.as_ref());
        }
        let Some(reply) = message.reply else {
            return self.on_unaddressed(&message.payload);
        };
        let back = match self.table.get(&reply) {
            Some(end) => end.take_payload(message.payload),
            None => Pushed::Over(message.payload),
        };
        if let Pushed::Over(payload) = back {
            self.on_stranger(reply, payload);
        }
    }

    fn on_unaddressed(&self, payload: &[u8]) {
        // What is empty is our own: it helps to leave.
        if !payload.is_empty() {
            Counters::count(&self.counters.unaddressed);
            tracing::debug!(address = %self.address, "ignored a message without a reply subject");
        }
    }

    fn on_control(&self, control: Control, reply: Option<&Subject>) {
        let socket = control.socket.as_ref();
        match socket.and_then(|socket| self.table.get(socket)) {
            Some(end) => end.take_control(control.word, reply),
            None => {
                if control.word == Word::Ping {
                    self.disown(reply);
                }
            }
        }
    }

    /// Tells a peer of ours that its socket is not known here.
    fn disown(&self, subject: Option<&Subject>) {
        let Some(subject) = subject else { return };
        let reset = Control {
            word: Word::Reset,
            socket: None,
        };
        let payload = Encoding::GoMicro.encode_control(&reset);
        self.connection
            .publish_now(Outgoing::new(subject.clone(), payload));
    }

    /// A message of a dialler that has no socket here.
    fn on_stranger(&self, reply: Subject, payload: Bytes) {
        let mark = match encoding::decode(&payload) {
            Ok((_, mark)) => mark,
            Err(error) => {
                Counters::count(&self.counters.undecodable);
                return tracing::debug!(address = %self.address, %error, "ignored what is no message");
            }
        };
        if mark == Some(Mark::More) {
            Counters::count(&self.counters.stale);
            return self.disown(Some(&reply));
        }
        if self.table.len() >= self.max_sockets {
            return self.refuse(&reply, mark);
        }
        match self.open(reply.clone(), mark, payload) {
            Ok(true) => {}
            Ok(false) => self.refuse(&reply, mark),
            Err(error) => tracing::debug!(%error, "ignored a reply subject that is no address"),
        }
    }

    fn refuse(&self, reply: &Subject, mark: Option<Mark>) {
        Counters::count(&self.counters.refused);
        tracing::warn!(address = %self.address, limit = self.max_sockets, "refused a socket: there are too many");
        if mark.is_some() {
            self.disown(Some(reply));
        }
    }

    /// Opens a socket for a dialler; whether there was room for it.
    fn open(&self, reply: Subject, mark: Option<Mark>, payload: Bytes) -> Result<bool> {
        let remote = Address::new(reply.as_str())?;
        let peer = match mark {
            Some(_) => Peer::Ours,
            None => Peer::Plain,
        };
        let end = Arc::new(End::accepted(&self.connection, &self.keeper, peer, reply));
        let row = self.table.insert(&end);
        end.take_payload(payload);
        if self.leaving.load(Ordering::Acquire) {
            end.tell(Word::Leave);
        }
        let socket = Hold::new(end, Place::Row(row), &self.keeper).into_socket(self.address.clone(), remote);
        Ok(self.hand_out(Ok(socket)))
    }

    fn hand_out(&self, socket: Result<Socket>) -> bool {
        let accepted = self.accepted.lock().clone();
        accepted.is_some_and(|accepted| accepted.try_send(socket).is_ok())
    }

    pub(super) fn for_all(&self, each: impl Fn(&Arc<End>)) {
        for end in self.table.all() {
            each(&end);
        }
    }

    fn on_denial(&self, denial: &Denial) {
        match denial.action {
            DeniedAction::Publish => self.for_all(|end| end.on_denial(denial)),
            DeniedAction::Subscribe if denial.subject == self.address.as_str() => {
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
            Incoming::Disconnected => self.for_all(|end| end.on_disconnect()),
            // Whose they were is not known.
            Incoming::Lost(count) => self.for_all(|end| end.on_loss(count)),
            Incoming::Denied(denial) => self.on_denial(&denial),
            Incoming::Ended => drop(self.accepted.lock().take()),
            _ => {}
        }
    }
}
