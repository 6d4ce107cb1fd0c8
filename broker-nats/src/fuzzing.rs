//! What bytes of strangers must not do here: the properties that the targets in `fuzz/` hold this crate to.
//!
//! Each takes any bytes and panics when a property does not hold. A test replays the committed inputs.

use bytes::Bytes;

use crate::encoding::{self, Encoding};

/// What is read as an event, in either encoding, can be written in both, and is read as the same.
pub fn events(data: &[u8]) {
    let payload = Bytes::copy_from_slice(data);
    let Ok(event) = encoding::decode(payload) else {
        return;
    };
    assert!(
        event.size() <= data.len(),
        "an event is larger than what it was read from"
    );
    for encoding in [Encoding::Native, Encoding::GoMicro] {
        let written = encoding.encode(&event).ok();
        let read = written.and_then(|written| encoding::decode(written).ok());
        assert_eq!(read.as_ref(), Some(&event), "{encoding:?}");
    }
}

#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn the_inputs_of_the_fuzz_targets_hold() {
        replay("events", super::events);
    }
}
