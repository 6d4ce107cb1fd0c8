//! Frames: what a packet is made of. A type, a length, and content.
//!
//! `docs/wire.md` says what each of them means, and has the same numbers.

use super::varint;

const HELLO: u8 = 0x01;
const MESSAGE: u8 = 0x02;
const FIRST: u8 = 0x03;
const MORE: u8 = 0x04;
const CREDIT: u8 = 0x05;
const FIN: u8 = 0x06;
const STOP: u8 = 0x07;
const RESET: u8 = 0x08;
const GOAWAY: u8 = 0x09;
const PING: u8 = 0x0a;
const PONG: u8 = 0x0b;
const SOCKET: u8 = 0x0c;

/// From this type on, a frame that is not known is passed over.
const OPTIONAL_FROM: u8 = 0x40;

/// How many bytes of text a reset has room for.
const MAX_TEXT: usize = 200;

/// One frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    /// The first of each direction: who speaks.
    Hello(Hello<'a>),
    /// A message.
    Message(&'a [u8]),
    /// The first piece of a message, and how long all of it is.
    First(u64, &'a [u8]),
    /// A later piece.
    More(&'a [u8]),
    /// The other end may send messages up to this offset; this many of its packets have come.
    Credit { limit: u64, packets: u64 },
    /// Nothing more comes.
    Fin,
    /// The reader has left, after this many messages.
    Stop(u64),
    /// The socket is given up.
    Reset(Reason, &'a str),
    /// The listener leaves its address.
    GoAway,
    /// Are you there?
    Ping,
    /// Yes.
    Pong(Sign<'a>),
    /// The socket that a packet to a home is for, by its dialler's reply subject.
    Socket(&'a str),
    /// Of a later version, and not needed to understand the rest.
    Unknown,
}

/// A process on one connection: where it is asked things, and how often it has lost its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sign<'a> {
    pub(crate) epoch: u64,
    pub(crate) home: &'a str,
}

/// How one end introduces itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hello<'a> {
    /// How far the other end may send messages.
    pub(crate) limit: u64,
    /// The largest message that is taken.
    pub(crate) max_message: u64,
    pub(crate) sign: Sign<'a>,
}

/// Why a socket is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// There is no such socket (any more).
    Unknown,
    /// There are too many sockets: nothing of this one was read.
    Refused,
    /// What came is not in the format.
    Malformed,
    /// Packets are missing, or came twice.
    Lost,
    /// More came than was allowed.
    Overflow,
    /// A message is above the limit.
    TooLarge,
    /// The version is not known here.
    Version,
    /// Something went wrong at the other end.
    Failed,
}

const REASONS: [Reason; 8] = [
    Reason::Unknown,
    Reason::Refused,
    Reason::Malformed,
    Reason::Lost,
    Reason::Overflow,
    Reason::TooLarge,
    Reason::Version,
    Reason::Failed,
];

impl Reason {
    fn code(self) -> u64 {
        REASONS
            .iter()
            .zip(0..)
            .find(|(reason, _)| **reason == self)
            .map_or(7, |(_, code)| code)
    }

    fn of(code: u64) -> Self {
        let index = usize::try_from(code).unwrap_or(usize::MAX);
        REASONS.get(index).copied().unwrap_or(Reason::Failed)
    }
}

/// How many bytes stand before a content of that length.
pub(crate) const fn head_len(content: usize) -> usize {
    1 + varint::len(content as u64)
}

/// Writes what stands before the content of a message.
pub(crate) fn put_message_head(out: &mut Vec<u8>, len: usize) {
    out.push(MESSAGE);
    varint::put(out, len as u64);
}

/// Writes what stands before the first piece of a message.
pub(crate) fn put_first_head(out: &mut Vec<u8>, total: u64, piece: usize) {
    out.push(FIRST);
    varint::put(out, (varint::len(total) + piece) as u64);
    varint::put(out, total);
}

/// Writes what stands before a later piece.
pub(crate) fn put_more_head(out: &mut Vec<u8>, piece: usize) {
    out.push(MORE);
    varint::put(out, piece as u64);
}

/// The most bytes that stand before a piece.
pub(crate) const MAX_PIECE_HEAD: usize = 1 + 10 + 10;

/// Writes any frame.
pub(crate) fn put(out: &mut Vec<u8>, frame: &Frame<'_>) {
    let mut content = Vec::new();
    let kind = match *frame {
        Frame::Hello(hello) => {
            varint::put(&mut content, hello.limit);
            varint::put(&mut content, hello.max_message);
            put_sign(&mut content, hello.sign);
            HELLO
        }
        Frame::Message(message) => {
            content.extend_from_slice(message);
            MESSAGE
        }
        Frame::First(total, piece) => {
            varint::put(&mut content, total);
            content.extend_from_slice(piece);
            FIRST
        }
        Frame::More(piece) => {
            content.extend_from_slice(piece);
            MORE
        }
        Frame::Credit { limit, packets } => {
            varint::put(&mut content, limit);
            varint::put(&mut content, packets);
            CREDIT
        }
        Frame::Fin => FIN,
        Frame::Stop(read) => {
            varint::put(&mut content, read);
            STOP
        }
        Frame::Reset(reason, text) => {
            varint::put(&mut content, reason.code());
            content.extend_from_slice(cut(text).as_bytes());
            RESET
        }
        Frame::GoAway => GOAWAY,
        Frame::Ping => PING,
        Frame::Pong(sign) => {
            put_sign(&mut content, sign);
            PONG
        }
        Frame::Socket(reply) => {
            content.extend_from_slice(reply.as_bytes());
            SOCKET
        }
        Frame::Unknown => OPTIONAL_FROM,
    };
    out.push(kind);
    varint::put(out, content.len() as u64);
    out.extend_from_slice(&content);
}

fn put_sign(out: &mut Vec<u8>, sign: Sign<'_>) {
    varint::put(out, sign.epoch);
    out.extend_from_slice(sign.home.as_bytes());
}

fn cut(text: &str) -> &str {
    let end = (0..=MAX_TEXT.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

/// Takes the next frame; `None` when what is there is none.
pub(crate) fn take<'a>(bytes: &mut &'a [u8]) -> Option<Frame<'a>> {
    let (&kind, behind) = bytes.split_first()?;
    *bytes = behind;
    let mut content = varint::take_slice(bytes)?;
    let rest = &mut content;
    let frame = match kind {
        MESSAGE => return Some(Frame::Message(rest)),
        MORE => return Some(Frame::More(rest)),
        FIRST => Frame::First(varint::take(rest)?, std::mem::take(rest)),
        HELLO => Frame::Hello(Hello {
            limit: varint::take(rest)?,
            max_message: varint::take(rest)?,
            sign: take_sign(rest)?,
        }),
        CREDIT => Frame::Credit {
            limit: varint::take(rest)?,
            packets: varint::take(rest)?,
        },
        FIN => Frame::Fin,
        STOP => Frame::Stop(varint::take(rest)?),
        RESET => Frame::Reset(Reason::of(varint::take(rest)?), take_text(rest)?),
        GOAWAY => Frame::GoAway,
        PING => Frame::Ping,
        PONG => Frame::Pong(take_sign(rest)?),
        SOCKET => Frame::Socket(take_text(rest)?),
        OPTIONAL_FROM.. => return Some(Frame::Unknown),
        _ => return None,
    };
    // What is known has exactly the content that it says it has.
    rest.is_empty().then_some(frame)
}

fn take_sign<'a>(rest: &mut &'a [u8]) -> Option<Sign<'a>> {
    Some(Sign {
        epoch: varint::take(rest)?,
        home: take_text(rest)?,
    })
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(std::mem::take(rest)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGN: Sign<'_> = Sign {
        epoch: 3,
        home: "_INBOX.a.1",
    };

    fn frames() -> Vec<Frame<'static>> {
        let hello = Hello {
            limit: 1 << 22,
            max_message: 1 << 26,
            sign: SIGN,
        };
        let resets = REASONS.map(|reason| Frame::Reset(reason, "why"));
        let mut frames = vec![
            Frame::Hello(hello),
            Frame::Message(b""),
            Frame::Message(b"\0body"),
            Frame::First(1 << 20, b"first"),
            Frame::More(b"more"),
            Frame::Credit {
                limit: 1 << 23,
                packets: 700,
            },
            Frame::Fin,
            Frame::Stop(12),
            Frame::GoAway,
            Frame::Ping,
            Frame::Pong(SIGN),
            Frame::Socket("_INBOX.b.2"),
            Frame::Unknown,
        ];
        frames.extend(resets);
        frames
    }

    #[test]
    fn frames_are_read_as_they_were_written() {
        let mut bytes = Vec::new();
        for frame in frames() {
            put(&mut bytes, &frame);
        }
        let mut rest = &bytes[..];
        for frame in frames() {
            assert_eq!(take(&mut rest), Some(frame));
        }
        assert!(rest.is_empty());
    }

    #[test]
    fn heads_are_those_of_whole_frames() {
        let (mut whole, mut head) = (Vec::new(), Vec::new());
        put(&mut whole, &Frame::First(1000, b"xyz"));
        put_first_head(&mut head, 1000, 3);
        assert_eq!(whole, [&head[..], b"xyz"].concat());
        (whole, head) = (Vec::new(), Vec::new());
        put(&mut whole, &Frame::More(b"xyz"));
        put_more_head(&mut head, 3);
        assert_eq!(whole, [&head[..], b"xyz"].concat());
        (whole, head) = (Vec::new(), Vec::new());
        put(&mut whole, &Frame::Message(&[7; 300]));
        put_message_head(&mut head, 300);
        assert_eq!(
            (head.len(), whole),
            (head_len(300), [&head[..], &[7; 300]].concat())
        );
    }

    #[test]
    fn a_truncated_frame_is_none() {
        for frame in frames() {
            let mut bytes = Vec::new();
            put(&mut bytes, &frame);
            for end in 0..bytes.len() {
                assert_eq!(take(&mut &bytes[..end]), None, "{frame:?}");
            }
        }
    }

    #[test]
    fn what_is_too_much_or_not_known_is_none() {
        for bytes in [
            &[FIN, 1, 0][..],
            &[STOP, 2, 1, 1],
            &[0, 0],
            &[0x3f, 0],
            &[RESET, 2, 0, 0xff],
        ] {
            assert_eq!(take(&mut &bytes[..]), None, "{bytes:?}");
        }
    }

    #[test]
    fn a_reason_of_a_later_version_is_a_failure() {
        assert_eq!(
            take(&mut &[RESET, 1, 99][..]),
            Some(Frame::Reset(Reason::Failed, ""))
        );
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let mut bytes = Vec::new();
        put(&mut bytes, &Frame::Reset(Reason::Failed, &"ü".repeat(150)));
        assert_eq!(
            take(&mut &bytes[..]),
            Some(Frame::Reset(Reason::Failed, &"ü".repeat(100)))
        );
    }
}
