//! What bytes of strangers must not do here: the properties that the targets in `fuzz/` hold this crate to.
//!
//! Each takes any bytes and panics when a property does not hold. A test replays the committed inputs.

use crate::go_micro::{self, Mark};

pub use crate::native::fuzzing::{packets, sockets};

/// What is read from an envelope, or as a word between our own peers, is written as what is read as the same.
pub fn envelopes_of_sockets(data: &[u8]) {
    if let Some(control) = go_micro::decode_control(data) {
        let written = go_micro::encode_control(&control);
        return assert_eq!(go_micro::decode_control(&written), Some(control));
    }
    let Ok((message, mark)) = go_micro::decode(data) else {
        return;
    };
    for mark in [mark, None, Some(Mark::Open), Some(Mark::More)] {
        let written = go_micro::encode(message.clone(), mark).ok();
        let read = written.and_then(|written| go_micro::decode(&written).ok());
        // Ours is one header more, which may be one too many.
        let full = message.headers.len() == nats_common::envelope::MAX_HEADERS;
        assert!(full || read == Some((message.clone(), mark)));
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
        replay("envelopes_of_sockets", super::envelopes_of_sockets);
        replay("packets", super::packets);
        replay("sockets", super::sockets);
    }
}
