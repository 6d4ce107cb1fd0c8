//! What waits to be read.

use bytes::Bytes;

/// Something to read, and what it costs until it has been read.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) what: What,
    pub(super) cost: u64,
    pub(super) messages: u64,
}

#[derive(Debug)]
pub(crate) enum What {
    /// Frames, of which those that are messages count.
    Frames(Bytes),
    /// The content of one message that came in pieces.
    Whole(Bytes),
}

impl Item {
    /// How many messages are in it.
    pub(crate) fn messages(&self) -> u64 {
        self.messages
    }

    pub(crate) fn cost(&self) -> u64 {
        self.cost
    }
}
