//! How messages and controls become payloads, and back.
//!
//! Which encoding a peer gets is chosen when its socket is made, from what it says of itself; what comes is told
//! apart by its first byte. This is where a second encoding joins: a variant here, and a file beside
//! [`go_micro`].

use bytes::Bytes;
use micro_core::{Message, Result};

use crate::control::Control;
use crate::go_micro;

/// How a peer is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// A JSON envelope to each message: what every peer understands.
    GoMicro,
}

/// Which of a dialler's messages it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The first: it opens a socket.
    Open,
    /// A later one: it opens none.
    More,
}

impl Encoding {
    /// The most bytes of [`Message::size`] that always fit into a payload of `limit` bytes, of which an envelope's
    /// headers may be 1 MiB.
    ///
    /// Base64 makes four bytes of three. What the envelope adds, and about a hundred headers, fit into 1 KiB; the
    /// rest of the rare message that does not is found out when it has been encoded.
    pub(crate) fn max_message_size(self, limit: usize) -> usize {
        match self {
            Encoding::GoMicro => limit.saturating_sub(1024) / 4 * 3,
        }
    }

    pub(crate) fn encode(self, message: Message, mark: Option<Mark>) -> Result<Bytes> {
        match self {
            Encoding::GoMicro => go_micro::encode(message, mark),
        }
    }

    pub(crate) fn encode_control(self, control: &Control) -> Bytes {
        match self {
            Encoding::GoMicro => go_micro::encode_control(control),
        }
    }
}

/// Reads a message, in whatever encoding it came.
pub(crate) fn decode(payload: &[u8]) -> Result<(Message, Option<Mark>)> {
    // The go-micro encoding begins with `{`, or with white space before it; so far nothing else is spoken.
    go_micro::decode(payload)
}

/// Reads a control, in whatever encoding it came, if it is one.
pub(crate) fn decode_control(payload: &[u8]) -> Option<Control> {
    go_micro::decode_control(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_the_reported_size_fits() {
        for limit in [2048, 65_536, 1 << 20] {
            let size = Encoding::GoMicro.max_message_size(limit);
            let body = Message::new(vec![0xff; size]);
            let payload = Encoding::GoMicro.encode(body, Some(Mark::More)).unwrap();
            assert!(payload.len() <= limit, "{} of {limit}", payload.len());
            let headers = (0..100).fold(Message::default(), |message, index| {
                message.with_header(format!("{index:03}"), "x".repeat(size / 100 - 3))
            });
            let payload = Encoding::GoMicro.encode(headers, Some(Mark::More)).unwrap();
            assert!(payload.len() <= limit, "{} of {limit}", payload.len());
        }
    }

    #[test]
    fn a_tiny_limit_leaves_nothing() {
        assert_eq!(Encoding::GoMicro.max_message_size(100), 0);
    }
}
