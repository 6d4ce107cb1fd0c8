//! go-micro's encoding: one JSON envelope to a message.
//!
//! Towards our own peers one header is added, which no go-micro peer ever gets to see:
//!
//! | `Micro-Socket` | in | means |
//! |---|---|---|
//! | `open`, `more` | a dialler's messages | the first message of a socket; a later one |
//! | anything else | an envelope of its own | a [`Control`] |

use bytes::Bytes;
use micro_core::{Message, Result};
use nats_common::envelope;

use crate::control::Control;

/// Ours alone: whatever a message brings under this name is taken out.
const HEADER: &str = "Micro-Socket";

/// How the envelope of a control begins. It is written by us alone, so its form is exact.
const CONTROL_OPENING: &[u8] = br#"{"Header":{"Micro-Socket":""#;
const CONTROL_CLOSING: &[u8] = br#""},"Body":null}"#;

const OPEN: &str = "open";
const MORE: &str = "more";

/// Which of a dialler's messages it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The first: it opens a socket.
    Open,
    /// A later one: it opens none.
    More,
}

/// The most bytes of [`Message::size`] that always fit into a payload of `limit` bytes, of which an envelope's
/// headers may be 1 MiB.
///
/// Base64 makes four bytes of three. What the envelope adds, and about a hundred headers, fit into 1 KiB; the
/// rest of the rare message that does not is found out when it has been encoded.
pub(crate) fn max_message_size(limit: usize) -> usize {
    limit.saturating_sub(1024) / 4 * 3
}

/// Encodes a message.
pub(crate) fn encode(mut message: Message, mark: Option<Mark>) -> Result<Bytes> {
    match mark {
        Some(Mark::Open) => drop(message.headers.insert(HEADER, OPEN)),
        Some(Mark::More) => drop(message.headers.insert(HEADER, MORE)),
        None => drop(message.headers.remove(HEADER)),
    }
    envelope::encode(&message)
}

/// Decodes a message.
pub(crate) fn decode(payload: &[u8]) -> Result<(Message, Option<Mark>)> {
    let mut message = envelope::decode(payload)?;
    let mark = match message.headers.remove(HEADER).as_deref() {
        Some(OPEN) => Some(Mark::Open),
        Some(MORE) => Some(Mark::More),
        _ => None,
    };
    Ok((message, mark))
}

/// Encodes a control.
pub(crate) fn encode_control(control: &Control) -> Bytes {
    let text = control.to_string();
    [CONTROL_OPENING, text.as_bytes(), CONTROL_CLOSING]
        .concat()
        .into()
}

/// Reads a control, if it is one. Cheap when it is not: it is asked of everything that comes.
pub(crate) fn decode_control(payload: &[u8]) -> Option<Control> {
    let text = payload
        .strip_prefix(CONTROL_OPENING)?
        .strip_suffix(CONTROL_CLOSING)?;
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Word;

    fn message() -> Message {
        Message::new("body").with_header("Micro-ID", "7")
    }

    #[test]
    fn a_mark_is_told_apart_and_the_message_does_not_show_it() {
        for mark in [None, Some(Mark::Open), Some(Mark::More)] {
            let payload = encode(message(), mark).unwrap();
            assert_eq!(decode_control(&payload), None);
            assert_eq!(decode(&payload).unwrap(), (message(), mark));
        }
    }

    #[test]
    fn a_message_for_a_plain_peer_has_nothing_of_ours() {
        let disguised = message().with_header(HEADER, "fin");
        let payload = encode(disguised, None).unwrap();
        assert_eq!(payload, envelope::encode(&message()).unwrap());
    }

    #[test]
    fn a_marked_message_without_headers_is_no_control() {
        let payload = encode(Message::default(), Some(Mark::More)).unwrap();
        assert_eq!(decode_control(&payload), None);
        assert_eq!(decode(&payload).unwrap(), (Message::default(), Some(Mark::More)));
    }

    #[test]
    fn a_control_is_a_legal_envelope_of_its_own() {
        let control = Control {
            word: Word::Fin,
            socket: Some("_INBOX.a.1".into()),
        };
        let payload = encode_control(&control);
        assert_eq!(decode_control(&payload), Some(control));
        let message = envelope::decode(&payload).unwrap();
        assert_eq!(message.headers.get(HEADER), Some("fin @_INBOX.a.1"));
    }

    #[test]
    fn a_message_of_the_reported_size_fits() {
        for limit in [2048, 65_536, 1 << 20] {
            let size = max_message_size(limit);
            let body = Message::new(vec![0xff; size]);
            let payload = encode(body, Some(Mark::More)).unwrap();
            assert!(payload.len() <= limit, "{} of {limit}", payload.len());
            let headers = (0..100).fold(Message::default(), |message, index| {
                message.with_header(format!("{index:03}"), "x".repeat(size / 100 - 3))
            });
            let payload = encode(headers, Some(Mark::More)).unwrap();
            assert!(payload.len() <= limit, "{} of {limit}", payload.len());
        }
    }

    #[test]
    fn a_tiny_limit_leaves_nothing() {
        assert_eq!(max_message_size(100), 0);
    }
}
