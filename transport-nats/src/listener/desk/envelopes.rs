//! What comes in go-micro's encoding.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use micro_core::{Address, Result};
use nats_common::{Message, Outgoing, Subject};

use super::{Desk, Tenant};
use crate::control::{Control, Word};
use crate::end::End;
use crate::go_micro::{self, Mark};
use crate::ignored::Counters;
use crate::peer::Peer;
use crate::socket::{Hold, Place};
use crate::state::Pushed;

impl Desk {
    pub(super) fn on_envelope(&self, message: Message) {
        if let Some(control) = go_micro::decode_control(&message.payload) {
            return self.on_control(control, message.reply.as_ref());
        }
        let Some(reply) = message.reply else {
            return self.on_unaddressed(&message.payload);
        };
        let back = match self.table.get(&reply) {
            Some(Tenant::GoMicro(end)) => end.take_payload(message.payload),
            _ => Pushed::Over(message.payload),
        };
        if let Pushed::Over(payload) = back {
            self.on_stranger(reply, payload);
        }
    }

    fn on_control(&self, control: Control, reply: Option<&Subject>) {
        let socket = control.socket.as_ref();
        match socket.and_then(|socket| self.table.get(socket)) {
            Some(Tenant::GoMicro(end)) => end.take_control(control.word, reply),
            _ => {
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
        let payload = go_micro::encode_control(&reset);
        self.connection
            .publish_now(Outgoing::new(subject.clone(), payload));
    }

    /// A message of a dialler that has no socket here.
    fn on_stranger(&self, reply: Subject, payload: Bytes) {
        let mark = match go_micro::decode(&payload) {
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
        if self.is_full() {
            return self.refuse_envelope(&reply, mark);
        }
        match self.open_envelope(reply.clone(), mark, payload) {
            Ok(true) => {}
            Ok(false) => self.refuse_envelope(&reply, mark),
            Err(error) => tracing::debug!(%error, "ignored a reply subject that is no address"),
        }
    }

    fn refuse_envelope(&self, reply: &Subject, mark: Option<Mark>) {
        self.count_refused();
        if mark.is_some() {
            self.disown(Some(reply));
        }
    }

    /// Opens a socket for a dialler; whether there was room for it.
    fn open_envelope(&self, reply: Subject, mark: Option<Mark>, payload: Bytes) -> Result<bool> {
        let remote = Address::new(reply.as_str())?;
        let peer = match mark {
            Some(_) => Peer::Ours,
            None => Peer::Plain,
        };
        let end = Arc::new(End::accepted(&self.connection, &self.keeper, peer, reply));
        let row = self.table.insert(Tenant::GoMicro(end.clone()));
        end.take_payload(payload);
        if self.leaving.load(Ordering::Acquire) {
            end.tell(Word::Leave);
        }
        let socket = Hold::new(end, Place::Row(row), &self.keeper).into_socket(self.address.clone(), remote);
        Ok(self.hand_out(Ok(socket)))
    }
}
