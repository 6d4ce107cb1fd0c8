//! What comes in the native encoding.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use micro_core::{Address, Result};
use nats_common::{Message, Outgoing, Subject};

use super::{Desk, Table, Tenant};
use crate::ignored::Counters;
use crate::native::{Breach, End, Frame, Hold, Packet, Reason, Unreadable, Way, single};
use crate::socket::Place;

impl Desk {
    pub(super) fn on_packet(&self, message: Message) {
        let Some(reply) = message.reply else {
            return self.on_unaddressed(&message.payload);
        };
        match self.table.get(&reply) {
            Some(Tenant::Native(end)) => end.take(&message.payload, Way::Socket),
            _ => self.on_strange_packet(reply, &message.payload),
        }
    }

    /// A packet of a dialler that has no socket here.
    fn on_strange_packet(&self, reply: Subject, payload: &Bytes) {
        let packet = match Packet::open(payload) {
            Ok(packet) => packet,
            Err(error) => return self.on_unreadable(&reply, error),
        };
        if packet.opens() {
            return self.on_open(reply, payload);
        }
        if !packet.is_readable() {
            return self.on_breach(&reply, Breach::Malformed);
        }
        // Those that have a socket no more say so to each other, and need no answer.
        if packet.expects_an_answer() {
            Counters::count(&self.counters.stale);
            self.reset(&reply, Reason::Unknown, "no such socket");
        }
    }

    fn on_unreadable(&self, reply: &Subject, error: Unreadable) {
        tracing::debug!(address = %self.address, %error, "a packet cannot be read");
        self.on_breach(
            reply,
            match error {
                Unreadable::Version(_) => Breach::Version,
                Unreadable::Truncated => Breach::Malformed,
            },
        );
    }

    fn on_breach(&self, reply: &Subject, breach: Breach) {
        Counters::count(breach.counter(&self.counters));
        tracing::debug!(address = %self.address, "ignored a packet: {}", breach.text());
        self.reset(reply, breach.reason(), breach.text());
    }

    fn on_open(&self, reply: Subject, payload: &Bytes) {
        if self.is_full() {
            return self.refuse_packet(&reply);
        }
        match self.open_packet(reply.clone(), payload) {
            Ok(true) => {}
            Ok(false) => self.refuse_packet(&reply),
            Err(error) => tracing::debug!(%error, "ignored a reply subject that is no address"),
        }
    }

    fn refuse_packet(&self, reply: &Subject) {
        self.count_refused();
        self.reset(reply, Reason::Refused, "there are too many sockets");
    }

    /// Tells a dialler that there is no socket for it here.
    fn reset(&self, reply: &Subject, reason: Reason, text: &str) {
        let reset = single(0, &Frame::Reset(reason, text));
        self.connection.publish_now(Outgoing::new(reply.clone(), reset));
    }

    /// Opens a socket for a dialler; whether there was room for it.
    fn open_packet(&self, reply: Subject, payload: &Bytes) -> Result<bool> {
        let remote = Address::new(reply.as_str())?;
        let end = Arc::new(End::accepted(&self.link, reply));
        let row = self.table.insert(Tenant::Native(end.clone()));
        end.take(payload, Way::Socket);
        if self.leaving.load(Ordering::Acquire) {
            end.say_goaway();
        }
        let hold = Hold::new(end, Place::Row(row), &self.keeper);
        Ok(self.hand_out(Ok(hold.into_socket(self.address.clone(), remote))))
    }
}

/// Takes a packet that came to the home, if it is for one of the sockets; whether it is.
pub(super) fn take_at_home(table: &Weak<Table>, message: &Message) -> bool {
    let Ok(packet) = Packet::open(&message.payload) else {
        return false;
    };
    let tenant = table
        .upgrade()
        .zip(packet.socket())
        .and_then(|(table, socket)| table.get(socket));
    if let Some(Tenant::Native(end)) = tenant {
        end.take(&message.payload, Way::Home);
        return true;
    }
    false
}
