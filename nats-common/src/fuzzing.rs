//! What bytes of strangers must not do here: the properties that the targets in `fuzz/` hold this crate to.
//!
//! Each takes any bytes and panics when a property does not hold. A test replays the committed inputs.

use micro_core::Message;

use crate::envelope::{self, MAX_HEADER_BYTES, MAX_HEADERS};

/// What is read as a message is written as one that is read as the same, whichever parser reads it.
pub fn envelopes(data: &[u8]) {
    let [plain, any] = envelope::decode_twice(data);
    assert!(plain.is_none() || plain == any, "the two parsers do not agree");
    let Ok(message) = envelope::decode(data) else {
        return assert!(any.is_none());
    };
    is_bounded(&message, data.len());
    let written = envelope::encode(&message).ok();
    let read = written
        .as_ref()
        .and_then(|written| envelope::decode(written).ok());
    assert_eq!(read, Some(message));
    let again = read.and_then(|read| envelope::encode(&read).ok());
    assert_eq!(again, written, "the second time it is written differently");
}

fn is_bounded(message: &Message, read: usize) {
    let (headers, bytes) = (message.headers.len(), message.size() - message.body.len());
    assert!(headers <= MAX_HEADERS && bytes <= MAX_HEADER_BYTES);
    assert!(
        message.size() <= read,
        "a message is larger than what it was read from"
    );
}

#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn the_inputs_of_the_fuzz_targets_hold() {
        replay("envelopes", super::envelopes);
    }
}
