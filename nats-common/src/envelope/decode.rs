//! Bytes to a message.

use micro_core::{Error, ErrorKind, Message, Result};

use super::{json, plain};

/// The longest part of a parser's complaint that an error keeps: it may quote what it complains about.
const MAX_REASON: usize = 160;

/// Decodes a message.
///
/// What Go's decoder accepts is accepted: `Header` and `Body` in any case, missing, or `null` (empty); other members,
/// which are passed over; `null` in place of the whole, which is an empty message, and in place of a header's value,
/// which is an empty text; escapes and line breaks in base64. Of a header named twice the last value counts; of
/// `Header` given twice both are read, the later over the earlier; of `Body` the last.
///
/// # Errors
/// [`ErrorKind::Malformed`] for all that is not such a message: other JSON, invalid UTF-8 (also behind an escape), base64
/// without its padding, header values that are not text, bytes behind the end, or more headers than [`MAX_HEADERS`](super::MAX_HEADERS)
/// and [`MAX_HEADER_BYTES`](super::MAX_HEADER_BYTES) allow.
pub fn decode(payload: &[u8]) -> Result<Message> {
    match plain::decode(payload) {
        Some(message) => Ok(message),
        None => any_json(payload),
    }
}

fn any_json(payload: &[u8]) -> Result<Message> {
    let text = std::str::from_utf8(payload)
        .map_err(|error| malformed(payload, "it is not UTF-8").with_source(error))?;
    json::decode(text).map_err(|error| malformed(payload, &error.to_string()))
}

fn malformed(payload: &[u8], reason: &str) -> Error {
    let reason: String = reason.chars().take(MAX_REASON).collect();
    Error::new(ErrorKind::Malformed, format!("not a message: {reason}")).with_context("bytes", payload.len())
}
