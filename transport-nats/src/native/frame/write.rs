//! Frames as they are written.

use super::{Frame, Sign, kind};
use crate::native::varint;

/// How many bytes of text a reset has room for.
const MAX_TEXT: usize = 200;

/// How many bytes stand before a content of that length.
pub(crate) const fn head_len(content: usize) -> usize {
    1 + varint::len(content as u64)
}

/// Writes what stands before the content of a message.
pub(crate) fn put_message_head(out: &mut Vec<u8>, len: usize) {
    out.push(kind::MESSAGE);
    varint::put(out, len as u64);
}

/// Writes what stands before the first piece of a message.
pub(crate) fn put_first_head(out: &mut Vec<u8>, total: u64, piece: usize) {
    out.push(kind::FIRST);
    varint::put(out, (varint::len(total) + piece) as u64);
    varint::put(out, total);
}

/// Writes what stands before a later piece.
pub(crate) fn put_more_head(out: &mut Vec<u8>, piece: usize) {
    out.push(kind::MORE);
    varint::put(out, piece as u64);
}

/// The most bytes that stand before a piece.
pub(crate) const MAX_PIECE_HEAD: usize = 1 + 10 + 10;

/// Writes any frame.
pub(crate) fn put(out: &mut Vec<u8>, frame: &Frame<'_>) {
    // Nearly all words are so short that their length takes one byte, which is written behind them.
    out.extend_from_slice(&[kind_of(frame), 0]);
    let start = out.len();
    put_content(out, frame);
    match u8::try_from(out.len() - start) {
        Ok(len @ ..0x80) => out[start - 1] = len,
        _ => put_long_len(out, start),
    }
}

fn put_long_len(out: &mut Vec<u8>, start: usize) {
    let mut len = Vec::new();
    varint::put(&mut len, (out.len() - start) as u64);
    out.splice(start - 1..start, len);
}

fn kind_of(frame: &Frame<'_>) -> u8 {
    match frame {
        Frame::Hello(_) => kind::HELLO,
        Frame::Message(_) => kind::MESSAGE,
        Frame::First(..) => kind::FIRST,
        Frame::More(_) => kind::MORE,
        Frame::Credit { .. } => kind::CREDIT,
        Frame::Fin => kind::FIN,
        Frame::Stop(_) => kind::STOP,
        Frame::Reset(..) => kind::RESET,
        Frame::GoAway => kind::GOAWAY,
        Frame::Ping => kind::PING,
        Frame::Pong(_) => kind::PONG,
        Frame::Socket(_) => kind::SOCKET,
        Frame::Unknown => kind::OPTIONAL_FROM,
    }
}

fn put_content(out: &mut Vec<u8>, frame: &Frame<'_>) {
    match *frame {
        Frame::Hello(hello) => {
            put_both(out, hello.limit, hello.max_message);
            put_sign(out, hello.sign);
        }
        Frame::Message(bytes) | Frame::More(bytes) => out.extend_from_slice(bytes),
        Frame::First(total, piece) => put_behind(out, total, piece),
        Frame::Credit { limit, packets } => put_both(out, limit, packets),
        Frame::Stop(read) => varint::put(out, read),
        Frame::Reset(reason, text) => put_behind(out, reason.code(), cut(text).as_bytes()),
        Frame::Pong(sign) => put_sign(out, sign),
        Frame::Socket(reply) => out.extend_from_slice(reply.as_bytes()),
        Frame::Fin | Frame::GoAway | Frame::Ping | Frame::Unknown => {}
    }
}

fn put_both(out: &mut Vec<u8>, one: u64, other: u64) {
    varint::put(out, one);
    varint::put(out, other);
}

fn put_behind(out: &mut Vec<u8>, number: u64, rest: &[u8]) {
    varint::put(out, number);
    out.extend_from_slice(rest);
}

fn put_sign(out: &mut Vec<u8>, sign: Sign<'_>) {
    put_behind(out, sign.epoch, sign.home.as_bytes());
}

fn cut(text: &str) -> &str {
    let end = (0..=MAX_TEXT.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}
