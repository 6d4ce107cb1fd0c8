//! What the sockets of one listener, or all dialled ones, have in common.

use std::sync::Arc;

use nats_common::{Connection, Subject};
use tokio::sync::watch;

use super::frame::{self, Frame, Hello, Sign};
use super::groups::Groups;
use super::window::WINDOW;
use crate::ignored::Counters;
use crate::keeper::Pulse;

/// What the sockets of one listener, or all dialled ones, have in common.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) connection: Arc<Connection>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) groups: Arc<Groups>,
    /// Where peers ask whether this process is there, and where they send words when a listener has left its address.
    pub(crate) home: Subject,
    /// The largest message, in bytes of [`Message::size`](micro_core::Message::size).
    pub(crate) max_message: usize,
    disconnects: watch::Receiver<u64>,
}

impl Link {
    pub(crate) fn new(
        connection: &Arc<Connection>,
        counters: &Arc<Counters>,
        groups: &Arc<Groups>,
        home: Subject,
        max_message: usize,
    ) -> Self {
        Link {
            connection: connection.clone(),
            counters: counters.clone(),
            groups: groups.clone(),
            home,
            max_message,
            disconnects: connection.disconnects(),
        }
    }

    /// How often this process has lost its connection.
    pub(crate) fn epoch(&self) -> u64 {
        *self.disconnects.borrow()
    }

    /// Writes what each direction of a socket begins with.
    pub(crate) fn put_hello(&self, out: &mut Vec<u8>) {
        let hello = Hello {
            limit: WINDOW,
            max_message: self.max_message as u64,
            sign: self.sign(),
        };
        frame::put(out, &Frame::Hello(hello));
    }

    /// Writes the answer to a ping.
    pub(crate) fn put_pong(&self, out: &mut Vec<u8>) {
        frame::put(out, &Frame::Pong(self.sign()));
    }

    /// A clock for what one socket hears.
    pub(crate) fn pulse(&self) -> Pulse {
        self.groups.pulse()
    }

    /// The largest content of a message: what its headers need beside their text is little.
    pub(crate) fn max_content(&self) -> u64 {
        self.max_message as u64 + (16 << 10)
    }

    fn sign(&self) -> Sign<'_> {
        Sign {
            epoch: self.epoch(),
            home: self.home.as_str(),
        }
    }
}
