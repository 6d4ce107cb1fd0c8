//! A message that does not fit where it belongs: it leaves in pieces, if it has to.

use bytes::Bytes;

use crate::native::{frame, window};

#[derive(Debug)]
pub(super) struct Large {
    head: Bytes,
    body: Bytes,
    total: usize,
    begun: bool,
}

impl Large {
    pub(super) fn new(head: &[u8], body: Bytes) -> Self {
        Large {
            head: Bytes::copy_from_slice(head),
            total: head.len() + body.len(),
            body,
            begun: false,
        }
    }

    pub(super) fn rest(&self) -> usize {
        self.head.len() + self.body.len()
    }

    /// Writes the next piece; what it costs.
    pub(super) fn put(&mut self, out: &mut Vec<u8>, piece: usize) -> u64 {
        let begun = std::mem::replace(&mut self.begun, true);
        match begun {
            true => frame::put_more_head(out, piece),
            false if piece == self.total => frame::put_message_head(out, piece),
            false => frame::put_first_head(out, self.total as u64, piece),
        }
        let head = self.head.split_to(piece.min(self.head.len()));
        out.extend_from_slice(&head);
        out.extend_from_slice(&self.body.split_to(piece - head.len()));
        match begun {
            true => piece as u64,
            false => window::cost(piece),
        }
    }
}
