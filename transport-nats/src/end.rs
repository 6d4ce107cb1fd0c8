//! One end of a socket, shared by its halves and by whatever brings something for it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Waker};

use bytes::Bytes;
use micro_core::ErrorKind;
use micro_core::transport::CloseSignal;
use nats_common::{Connection, DeniedAction, Message, Outgoing, Slot, Subject};
use parking_lot::Mutex;

use crate::control::{Control, Word};
use crate::ending::Failure;
use crate::go_micro;
use crate::inbound::Probe;
use crate::keeper::{Keeper, Pulse};
use crate::peer::Peer;
use crate::state::{Next, Pushed, State};
use crate::undelivered::Question;

/// One end of a socket.
pub(crate) struct End {
    pub(crate) connection: Arc<Connection>,
    pub(crate) peer: Peer,
    /// Where its messages go.
    pub(crate) remote: Subject,
    /// Of the dialling end: where answers come. It is how the listener tells its sockets apart.
    pub(crate) key: Option<OnceLock<Subject>>,
    /// Whether the peer has been sent something: before, it knows nothing of a dialled socket.
    opened: AtomicBool,
    /// When what was heard and said.
    pub(crate) pulse: Pulse,
    /// Set when nothing that is sent is read any more.
    pub(crate) closed: CloseSignal,
    state: Mutex<(State, Option<Waker>)>,
    /// Where pings are answered, once there was one.
    probe: OnceLock<Slot>,
}

impl End {
    pub(crate) fn dialled(
        connection: &Arc<Connection>,
        keeper: &Keeper,
        peer: Peer,
        remote: Subject,
    ) -> Self {
        End {
            key: Some(OnceLock::new()),
            opened: AtomicBool::new(false),
            ..End::accepted(connection, keeper, peer, remote)
        }
    }

    pub(crate) fn accepted(
        connection: &Arc<Connection>,
        keeper: &Keeper,
        peer: Peer,
        remote: Subject,
    ) -> Self {
        End {
            connection: connection.clone(),
            peer,
            remote,
            key: None,
            opened: AtomicBool::new(true),
            pulse: keeper.pulse(),
            closed: CloseSignal::default(),
            state: Mutex::new((State::new(), None)),
            probe: OnceLock::new(),
        }
    }

    pub(crate) fn is_dialled(&self) -> bool {
        self.key.is_some()
    }

    /// Where answers come, for the dialling end.
    pub(crate) fn reply(&self) -> Option<&Subject> {
        self.key.as_ref()?.get()
    }

    pub(crate) fn is_open(&self) -> bool {
        self.opened.load(Ordering::Acquire)
    }

    /// The peer has been sent something.
    pub(crate) fn open(&self) {
        self.opened.store(true, Ordering::Release);
    }

    /// Changes the state, and wakes the reader.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let (result, reader, refused) = {
            let mut guard = self.state.lock();
            let (state, reader) = &mut *guard;
            (change(state), reader.take(), state.ending().is_refused())
        };
        if let Some(reader) = reader {
            reader.wake();
        }
        if refused {
            self.closed.set();
        }
        result
    }

    /// Looks at the state.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.lock().0)
    }

    pub(crate) fn next(&self, context: &Context<'_>) -> Next {
        let mut guard = self.state.lock();
        let (state, reader) = &mut *guard;
        let next = state.next();
        if matches!(next, Next::Wait) {
            match reader {
                Some(reader) => reader.clone_from(context.waker()),
                None => *reader = Some(context.waker().clone()),
            }
        }
        next
    }

    /// Something came in for this socket.
    pub(crate) fn take_payload(self: &Arc<Self>, payload: Bytes) -> Pushed {
        self.pulse.heard();
        let pushed = self.change(|state| state.push(payload));
        if pushed == Pushed::Overflow {
            tracing::warn!(remote = %self.remote, "a socket is given up: its reader fell too far behind");
            self.tell(Word::Reset);
        }
        pushed
    }

    /// The peer says something about this socket.
    pub(crate) fn take_control(self: &Arc<Self>, word: Word, reply: Option<&Subject>) {
        self.pulse.heard();
        match word {
            Word::Fin => self.change(State::finished),
            Word::Stop(unread) => self.change(|state| state.stopped(unread)),
            Word::Reset => self.fail(
                ErrorKind::Unavailable,
                "the peer has lost this socket, and what was on its way",
            ),
            Word::Leave => self.change(State::left),
            Word::Ping => self.answer(reply),
            Word::Pong => {}
        }
    }

    pub(crate) fn fail(&self, kind: ErrorKind, text: &'static str) {
        self.change(|state| state.fail(Failure::new(kind, text)));
    }

    fn answer(&self, reply: Option<&Subject>) {
        if let Some(reply) = reply {
            let pong = self.say(Word::Pong, reply.clone());
            self.connection.publish_now(pong);
        }
    }

    /// Tells the peer something, if it is one that understands, and has heard of this socket.
    pub(crate) fn tell(&self, word: Word) {
        if self.peer.is_ours() && self.is_open() {
            self.connection.publish_now(self.say(word, self.remote.clone()));
        }
    }

    /// Asks the peer whether it is there. The answer comes to a subject of its own: see [`control`](crate::control).
    pub(crate) fn ping(self: &Arc<Self>) {
        let probe = self
            .probe
            .get_or_init(|| self.connection.slot(Arc::new(Probe(Arc::downgrade(self)))));
        let ping = self.say(Word::Ping, self.remote.clone());
        self.connection
            .publish_now(ping.with_reply(probe.subject().clone()));
    }

    pub(crate) fn say(&self, word: Word, subject: Subject) -> Outgoing {
        let socket = self.reply().cloned();
        Outgoing::new(subject, go_micro::encode_control(&Control { word, socket }))
    }

    /// What has to be asked to know how much reached nobody: a plain peer must not be asked anything.
    pub(crate) fn question(&self) -> Question {
        let ping = Control {
            word: Word::Ping,
            socket: self.reply().cloned(),
        };
        Question {
            connection: self.connection.clone(),
            remote: self.remote.clone(),
            ask: self.peer.is_ours().then(|| go_micro::encode_control(&ping)),
            heard_since: self.look(|state| state.ending().has_heard_since()),
        }
    }

    pub(crate) fn on_message(self: &Arc<Self>, message: Message) {
        match go_micro::decode_control(&message.payload) {
            Some(control) => self.take_control(control.word, message.reply.as_ref()),
            None => drop(self.take_payload(message.payload)),
        }
    }

    pub(crate) fn on_disconnect(&self) {
        // Of a socket that nothing was sent on, nothing can be lost.
        if self.is_open() {
            self.fail(
                ErrorKind::Unavailable,
                "the NATS connection was lost, and what was on its way may be lost with it",
            );
        }
    }

    pub(crate) fn on_loss(&self, count: u64) {
        let text = "this process fell behind, and what came in for it was dropped";
        self.change(|state| state.fail(Failure::new(ErrorKind::Lagged(count), text)));
        // Who sends would go on for ever: what comes from now on is read by nobody.
        self.tell(Word::Reset);
    }

    pub(crate) fn on_denial(&self, denial: &nats_common::Denial) {
        if denial.action == DeniedAction::Publish && denial.subject == self.remote.as_str() {
            let text = denial.error().message().to_owned();
            self.change(|state| state.fail(Failure::new(ErrorKind::PermissionDenied, text)));
        }
    }
}

impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("End")
            .field("remote", &self.remote)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}
