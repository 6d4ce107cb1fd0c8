//! Packets: what one NATS message carries. A byte that says the encoding and its version, a number, and frames.

use std::fmt;

use bytes::Bytes;

use super::frame::{self, Frame};
use super::varint;

/// The version that is spoken here.
pub(crate) const VERSION: u8 = 2;

/// Set in the first byte: no JSON begins like that.
const NATIVE: u8 = 0x80;

/// How many bytes stand before the frames.
pub(crate) const fn head_len(number: u64) -> usize {
    1 + varint::len(number)
}

/// Whether a payload is a packet, of whatever version.
pub(crate) fn is_native(payload: &[u8]) -> bool {
    payload.first().is_some_and(|first| first & NATIVE != 0)
}

/// Why a payload is no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is of this version.
    Version(u8),
    /// It is too short.
    Truncated,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Version(version) => write!(f, "version {version} is not known here, {VERSION} is"),
            Unreadable::Truncated => f.write_str("a packet without a number"),
        }
    }
}

/// A packet, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) number: u64,
    /// All frames, unread.
    pub(crate) frames: Bytes,
}

impl Packet {
    /// Takes a payload apart. Nothing is copied.
    pub(crate) fn open(payload: &Bytes) -> Result<Packet, Unreadable> {
        let mut rest = &payload[..];
        let first = rest.split_off_first().copied().unwrap_or_default();
        if first != NATIVE | VERSION {
            return Err(Unreadable::Version(first & !NATIVE));
        }
        let number = varint::take(&mut rest).ok_or(Unreadable::Truncated)?;
        Ok(Packet {
            number,
            frames: payload.slice_ref(rest),
        })
    }

    /// Whether it opens a socket.
    pub(crate) fn opens(&self) -> bool {
        self.number == 0 && matches!(frame::take(&mut &self.frames[..]), Some(Frame::Hello(_)))
    }

    /// Whether its first frame can be read, if it has any.
    pub(crate) fn is_readable(&self) -> bool {
        self.frames.is_empty() || frame::take(&mut &self.frames[..]).is_some()
    }

    /// The socket that it is for, when it was sent to a home.
    pub(crate) fn socket(&self) -> Option<&str> {
        match frame::take(&mut &self.frames[..]) {
            Some(Frame::Socket(reply)) => Some(reply),
            _ => None,
        }
    }

    /// Whether whoever sent it waits for something, and has to be told that nothing comes.
    pub(crate) fn expects_an_answer(&self) -> bool {
        let mut rest = &self.frames[..];
        std::iter::from_fn(|| frame::take(&mut rest)).any(|frame| {
            matches!(
                frame,
                Frame::Message(_) | Frame::First(..) | Frame::More(_) | Frame::Ping
            )
        })
    }
}

/// Writes what stands before the frames.
pub(crate) fn put_head(out: &mut Vec<u8>, number: u64) {
    out.push(NATIVE | VERSION);
    varint::put(out, number);
}

/// A packet of one frame, for what is said outside the order of a socket.
pub(crate) fn single(number: u64, frame: &Frame<'_>) -> Bytes {
    let mut out = Vec::new();
    put_head(&mut out, number);
    frame::put(&mut out, frame);
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::frame::{Hello, Sign};

    const HELLO: Frame<'static> = Frame::Hello(Hello {
        limit: 0,
        max_message: 0,
        sign: Sign { epoch: 0, home: "a" },
    });

    #[test]
    fn a_packet_is_taken_apart_as_it_was_made() {
        let payload = single(300, &Frame::Fin);
        assert_eq!(&payload[..], [0x82, 0xac, 0x02, 0x06, 0x00]);
        let packet = Packet::open(&payload).unwrap();
        assert_eq!((packet.number, &packet.frames[..]), (300, &[6, 0][..]));
    }

    #[test]
    fn only_a_first_packet_with_a_hello_opens() {
        let open = |payload| Packet::open(&payload).unwrap().opens();
        assert!(open(single(0, &HELLO)));
        assert!(!open(single(1, &HELLO)));
        assert!(!open(single(0, &Frame::Fin)));
    }

    #[test]
    fn another_version_and_a_stump_are_told_apart() {
        let open = |bytes: &'static [u8]| Packet::open(&Bytes::from_static(bytes)).unwrap_err();
        assert_eq!(open(&[0x83, 0]), Unreadable::Version(3));
        assert_eq!(open(&[0x82]), Unreadable::Truncated);
        assert_eq!(open(&[0x82, 0x80]), Unreadable::Truncated);
    }

    #[test]
    fn no_envelope_is_taken_for_a_packet() {
        for payload in [&b"{"[..], b" {", b"\t", b"\n", b"\r", b""] {
            assert!(!is_native(payload));
        }
    }
}
