//! Frames as they are read.

use micro_core::name::MAX_LEN;

use super::{Frame, Hello, Reason, Sign, kind};
use crate::native::varint;

/// Whether what begins there is a reset, unless it cannot be read.
pub(crate) fn is_reset(bytes: &[u8]) -> bool {
    bytes.first() == Some(&kind::RESET)
}

/// Takes the next frame; `None` when what is there is none.
pub(crate) fn take<'a>(bytes: &mut &'a [u8]) -> Option<Frame<'a>> {
    let (&kind, behind) = bytes.split_first()?;
    *bytes = behind;
    let mut content = varint::take_slice(bytes)?;
    let rest = &mut content;
    let frame = match kind {
        kind::MESSAGE => return Some(Frame::Message(rest)),
        kind::MORE => return Some(Frame::More(rest)),
        kind::FIRST => Frame::First(varint::take(rest)?, std::mem::take(rest)),
        kind::HELLO => Frame::Hello(Hello {
            limit: varint::take(rest)?,
            max_message: varint::take(rest)?,
            sign: take_sign(rest)?,
        }),
        kind::CREDIT => Frame::Credit {
            limit: varint::take(rest)?,
            packets: varint::take(rest)?,
        },
        kind::FIN => Frame::Fin,
        kind::STOP => Frame::Stop(varint::take(rest)?),
        kind::RESET => Frame::Reset(Reason::of(varint::take(rest)?), take_text(rest)?),
        kind::GOAWAY => Frame::GoAway,
        kind::PING => Frame::Ping,
        kind::PONG => Frame::Pong(take_sign(rest)?),
        kind::SOCKET => Frame::Socket(take_subject(rest)?),
        kind::OPTIONAL_FROM.. => return Some(Frame::Unknown),
        _ => return None,
    };
    // What is known has exactly the content that it says it has.
    rest.is_empty().then_some(frame)
}

fn take_sign<'a>(rest: &mut &'a [u8]) -> Option<Sign<'a>> {
    Some(Sign {
        epoch: varint::take(rest)?,
        home: take_subject(rest)?,
    })
}

/// The server ends the connection of whoever sends to a subject that is longer than it takes, and so would a peer end ours.
fn take_subject<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    take_text(rest).filter(|subject| !subject.is_empty() && subject.len() <= MAX_LEN)
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(std::mem::take(rest)).ok()
}
