//! Messages as peers write them nearly always: `Header`, then `Body`, no white space and no escapes.
//!
//! These are taken apart where they stand. Whatever looks different, or wrong, is left to the parser of JSON, which
//! also says what is wrong with it.

use memchr::memchr;
use micro_core::Message;
use micro_core::message::Headers;

use super::limits::{Limits, TYPICAL_HEADERS};
use super::{body, known};

const OPENING: &[u8] = br#"{"Header":{"#;
const MIDDLE: &[u8] = br#"},"Body":""#;
const CLOSING: &[u8] = br#""}"#;

/// Reads a message that is written plainly, or answers `None`.
pub(super) fn decode(payload: &[u8]) -> Option<Message> {
    let rest = payload.strip_prefix(OPENING)?.strip_suffix(CLOSING)?;
    let (headers, base64) = split(rest)?;
    Some(Message {
        headers: read_headers(headers)?,
        // Nothing but base64 is read as such, so no other look at the body is needed.
        body: body::from_base64(base64).ok()?,
    })
}

/// What is between the braces of the headers, and between the quotes of the body.
fn split(rest: &[u8]) -> Option<(&str, &[u8])> {
    let mut from = 0;
    loop {
        let brace = from + memchr(b'}', &rest[from..])?;
        if let Some(base64) = rest[brace..].strip_prefix(MIDDLE) {
            return Some((plain(&rest[..brace])?, base64));
        }
        from = brace + 1;
    }
}

/// The text, when nothing in it has to be escaped or is.
fn plain(bytes: &[u8]) -> Option<&str> {
    // Without an early exit the compiler checks many bytes at once.
    let plain = bytes
        .iter()
        .fold(true, |plain, byte| plain & (*byte >= 0x20) & (*byte != b'\\'));
    std::str::from_utf8(bytes).ok().filter(|_| plain)
}

/// Reads `"name":"value"`, and more of them behind commas.
fn read_headers(mut rest: &str) -> Option<Headers> {
    if rest.is_empty() {
        return Some(Headers::new());
    }
    let mut headers = Headers::with_capacity(TYPICAL_HEADERS);
    let mut limits = Limits::of(&headers);
    loop {
        let (name, after) = read_text(rest)?;
        let (value, after) = read_text(after.strip_prefix(':')?)?;
        if !limits.take(name, value) {
            return None;
        }
        headers.insert(known::header(name), known::header(value));
        match after {
            "" => return Some(headers),
            _ => rest = after.strip_prefix(',')?,
        }
    }
}

/// Reads a text in quotes: no escapes are left in it.
fn read_text(rest: &str) -> Option<(&str, &str)> {
    let text = rest.strip_prefix('"')?;
    let end = memchr(b'"', text.as_bytes())?;
    Some((&text[..end], &text[end + 1..]))
}
