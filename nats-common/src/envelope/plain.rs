//! Messages as peers write them nearly always: `Header`, then `Body`, no white space and no escapes.
//!
//! These are taken apart where they stand. Whatever looks different, or wrong, is left to the parser of JSON, which
//! also says what is wrong with it.

use micro_core::Message;
use micro_core::message::Headers;

use super::limits::{Limits, TYPICAL_HEADERS};
use super::{body, known};

/// Reads a message that is written plainly, or answers `None`.
pub(super) fn decode(text: &str) -> Option<Message> {
    // Without an early exit the compiler checks many bytes at once.
    let plain = text
        .bytes()
        .fold(true, |plain, byte| plain & (byte >= 0x20) & (byte != b'\\'));
    let rest = text.strip_prefix(r#"{"Header":{"#).filter(|_| plain)?;
    let (headers, rest) = read_headers(rest)?;
    let base64 = rest.strip_prefix(r#","Body":""#)?.strip_suffix(r#""}"#)?;
    Some(Message {
        headers,
        body: body::from_base64(base64.as_bytes()).ok()?,
    })
}

/// Reads up to the brace that ends the headers, and returns what is behind it.
fn read_headers(mut rest: &str) -> Option<(Headers, &str)> {
    if let Some(rest) = rest.strip_prefix('}') {
        return Some((Headers::new(), rest));
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
        match after.as_bytes().first()? {
            b',' => rest = &after[1..],
            b'}' => return Some((headers, &after[1..])),
            _ => return None,
        }
    }
}

/// Reads a text in quotes: no escapes are left in it.
fn read_text(rest: &str) -> Option<(&str, &str)> {
    let text = rest.strip_prefix('"')?;
    let end = text.bytes().position(|byte| byte == b'"')?;
    Some((&text[..end], &text[end + 1..]))
}
