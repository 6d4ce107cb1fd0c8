//! An address that is listened on: one subscription, whose messages are sorted by their reply subject.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Stream;
use micro_core::{Address, Error, ErrorKind, Listener, Result, Socket};
use nats_common::{Connection, Consumer, Denial, DeniedAction, Incoming, Message, Outgoing, Pump, Subject};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::control::{Control, Word};
use crate::encoding::{self, Encoding, Mark};
use crate::ignored::Counters;
use crate::keeper::Keeper;
use crate::peer::{self, Peer};
use crate::socket::{End, Hold, Place};
use crate::state::{Pushed, State};

/// The sockets of one listener, by the reply subject of their dialler.
#[derive(Default)]
pub(crate) struct Table(Mutex<HashMap<String, Arc<End>>>);

/// A socket's row in the table, for as long as the socket is held.
pub(crate) struct Row {
    table: Arc<Table>,
    end: Arc<End>,
}

impl Table {
    fn get(&self, reply: &str) -> Option<Arc<End>> {
        self.0.lock().get(reply).cloned()
    }

    fn len(&self) -> usize {
        self.0.lock().len()
    }

    fn insert(self: &Arc<Self>, end: &Arc<End>) -> Row {
        let before = self.0.lock().insert(end.remote.to_string(), end.clone());
        // Dropped after the lock.
        drop(before);
        Row {
            table: self.clone(),
            end: end.clone(),
        }
    }

    fn all(&self) -> Vec<Arc<End>> {
        self.0.lock().values().cloned().collect()
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        let mut rows = self.table.0.lock();
        // A later socket of the same peer may have taken its place.
        let mine = rows
            .get(self.end.remote.as_str())
            .is_some_and(|end| Arc::ptr_eq(end, &self.end));
        let row = mine.then(|| rows.remove(self.end.remote.as_str()));
        drop(rows);
        drop(row);
    }
}

/// Sorts what comes to the address.
pub(crate) struct Desk {
    connection: Arc<Connection>,
    keeper: Arc<Keeper>,
    counters: Arc<Counters>,
    address: Address,
    max_sockets: usize,
    table: Arc<Table>,
    accepted: Mutex<Option<mpsc::Sender<Result<Socket>>>>,
    leaving: AtomicBool,
}

/// What a listener is made of.
pub(crate) struct Terms {
    pub(crate) connection: Arc<Connection>,
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) max_sockets: usize,
}

/// Listens; when it returns, the server knows.
pub(crate) async fn listen(terms: Terms, address: Address) -> Result<Listener> {
    // Every socket that waits is in the table, so the table's limit is the queue's.
    let (sender, accepted) = mpsc::channel(terms.max_sockets.max(1));
    let desk = Arc::new(Desk {
        connection: terms.connection,
        keeper: terms.keeper,
        counters: terms.counters,
        address: address.clone(),
        max_sockets: terms.max_sockets,
        table: Arc::default(),
        accepted: Mutex::new(Some(sender)),
        leaving: AtomicBool::new(false),
    });
    let pump = desk.connection.pump(address.as_str(), None, desk.clone()).await?;
    let lease = Arc::new(Lease {
        pump: Mutex::new(Some(pump)),
        desk,
    });
    let incoming = Accepted {
        sockets: accepted,
        lease: lease.clone(),
    };
    let leave = async move { lease.leave().await };
    Ok(Listener::new(address, peer::metadata(), incoming, leave))
}

impl Desk {
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

    fn for_all(&self, each: impl Fn(&Arc<End>)) {
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

/// The right to an address. It is given back once: when the listener leaves, or is dropped.
struct Lease {
    pump: Mutex<Option<Pump>>,
    desk: Arc<Desk>,
}

impl Lease {
    /// What was sent to the address is in the sockets, and then nothing more comes.
    async fn leave(&self) -> Result<()> {
        let Some(mut pump) = self.announce() else {
            return Ok(());
        };
        let filler = Outgoing::new(self.desk.address.as_str(), Bytes::new());
        let left = pump.leave(Some(filler)).await;
        self.desk.for_all(|end| end.change(State::deafen));
        left.map_err(|error| {
            error
                .with_operation("close")
                .with_context("address", &self.desk.address)
        })
    }

    fn release(&self) {
        if let Some(pump) = self.announce() {
            drop(pump);
            self.desk.for_all(|end| end.change(State::deafen));
        }
    }

    /// Peers of ours learn it before the server does, so that they know it from a listener that died.
    fn announce(&self) -> Option<Pump> {
        let pump = self.pump.lock().take()?;
        self.desk.leaving.store(true, Ordering::Release);
        self.desk.for_all(|end| end.tell(Word::Leave));
        Some(pump)
    }
}

/// The sockets that were opened. Dropping it frees the address, and closes those that nobody accepted.
struct Accepted {
    sockets: mpsc::Receiver<Result<Socket>>,
    lease: Arc<Lease>,
}

impl Stream for Accepted {
    type Item = Result<Socket>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.sockets.poll_recv(context)
    }
}

impl Drop for Accepted {
    fn drop(&mut self) {
        self.lease.release();
    }
}

/// Whether a text can be an address here: a subject without wildcards.
pub(crate) fn check(address: &Address) -> Result<()> {
    micro_core::name::check_topic(address.as_str()).map_err(|error| {
        Error::new(
            ErrorKind::InvalidArgument,
            "an address on NATS is a subject without wildcards",
        )
        .with_context("address", address)
        .with_source(error)
    })
}
