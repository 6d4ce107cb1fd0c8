//! A message to JSON, in one buffer.

use base64::Engine;
use bytes::Bytes;
use micro_core::message::Headers;
use micro_core::{Error, ErrorKind, Message, Result};

use super::base64::STANDARD;
use super::{MAX_HEADER_BYTES, MAX_HEADERS};

const OPENING: &[u8] = br#"{"Header":{"#;
const MIDDLE: &[u8] = br#"},"Body":""#;
const CLOSING: &[u8] = br#""}"#;

/// The quotes, the colon and the comma around one header.
const PER_HEADER: usize = r#""":"","#.len();

/// Encodes a message. Headers keep their order; an empty body is `""`.
///
/// # Errors
/// [`ErrorKind::ResourceExhausted`] when there are more headers than a peer of ours would read:
/// [`MAX_HEADERS`], [`MAX_HEADER_BYTES`].
pub fn encode(message: &Message) -> Result<Bytes> {
    let header_bytes = checked_size(&message.headers)?;
    let body = message.body.len().div_ceil(3) * 4;
    let frame = OPENING.len() + MIDDLE.len() + CLOSING.len();
    let mut buffer = Vec::with_capacity(frame + header_bytes + PER_HEADER * message.headers.len() + body);
    buffer.extend_from_slice(OPENING);
    write_headers(&mut buffer, &message.headers);
    buffer.extend_from_slice(MIDDLE);
    write_body(&mut buffer, &message.body, body)?;
    buffer.extend_from_slice(CLOSING);
    Ok(Bytes::from(buffer))
}

fn checked_size(headers: &Headers) -> Result<usize> {
    let size = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > MAX_HEADER_BYTES || headers.len() > MAX_HEADERS {
        return Err(Error::new(
            ErrorKind::ResourceExhausted,
            format!("too many headers: at most {MAX_HEADERS}, of {MAX_HEADER_BYTES} bytes together"),
        )
        .with_context("headers", headers.len())
        .with_context("bytes", size));
    }
    Ok(size)
}

fn write_headers(buffer: &mut Vec<u8>, headers: &Headers) {
    for (index, (name, value)) in headers.iter().enumerate() {
        buffer.extend_from_slice(if index == 0 { b"\"" } else { b",\"" });
        write_escaped(buffer, name);
        buffer.extend_from_slice(b"\":\"");
        write_escaped(buffer, value);
        buffer.push(b'"');
    }
}

fn write_escaped(buffer: &mut Vec<u8>, text: &str) {
    if is_clean(text.as_bytes()) {
        buffer.extend_from_slice(text.as_bytes());
        return;
    }
    for byte in text.bytes() {
        write_escaped_byte(buffer, byte);
    }
}

/// Whether nothing in it needs an escape: hardly any text has such a byte, and so eight are looked at together.
fn is_clean(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks::<8>();
    // The last eight, also where some of them are looked at twice.
    let last = text.last_chunk().copied().unwrap_or_else(|| padded(rest));
    let escapes = words.iter().chain([&last]).fold(0, |escapes, word| {
        escapes | needs_escape(u64::from_le_bytes(*word))
    });
    escapes == 0
}

fn padded(rest: &[u8]) -> [u8; 8] {
    let mut word = [b' '; 8];
    for (place, byte) in word.iter_mut().zip(rest) {
        *place = *byte;
    }
    word
}

/// Not 0 when one of the eight bytes is below a space, a quote, or a backslash.
///
/// Less a number, the top bit of a byte that did not have it is set where the byte was below that number, or where it
/// is borrowed from, which only happens above another such byte.
fn needs_escape(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | is(b'"') | is(b'\\')) & (ONES * 0x80)
}

fn write_escaped_byte(buffer: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' | b'\\' => buffer.extend_from_slice(&[b'\\', byte]),
        b'\n' => buffer.extend_from_slice(b"\\n"),
        0..0x20 => {
            let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
            buffer.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
        }
        _ => buffer.push(byte),
    }
}

/// Writes base64 in place, behind what the buffer holds.
fn write_body(buffer: &mut Vec<u8>, body: &[u8], encoded: usize) -> Result<()> {
    // Escapes may have used up what was allocated for the body: growing now copies only the headers.
    buffer.reserve_exact(encoded + CLOSING.len());
    let start = buffer.len();
    buffer.resize(start + encoded, 0);
    STANDARD
        .encode_slice(body, &mut buffer[start..])
        .map_err(|error| {
            Error::new(ErrorKind::Internal, "the body does not fit its buffer").with_source(error)
        })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_needs_an_escape_is_found_wherever_it_stands() {
        for len in 0..24 {
            for (place, byte) in (0..len).flat_map(|place| (0..=255).map(move |byte| (place, byte))) {
                for filling in [b'a', b' ', b'!', 0x7f, 0x80, 0xff] {
                    let mut text = vec![filling; len];
                    text[place] = byte;
                    let escaped = byte < 0x20 || byte == b'"' || byte == b'\\';
                    assert_eq!(is_clean(&text), !escaped, "{byte} at {place} of {len}");
                }
            }
        }
    }
}
