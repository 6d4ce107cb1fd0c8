//! A message to JSON, in one buffer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use micro_core::message::Headers;
use micro_core::{Error, ErrorKind, Message, Result};

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
    // Without an early exit the compiler checks many bytes at once, and hardly any text needs an escape.
    let clean = text.bytes().fold(true, |clean, byte| clean & !needs_escape(byte));
    if clean {
        buffer.extend_from_slice(text.as_bytes());
        return;
    }
    for byte in text.bytes() {
        write_escaped_byte(buffer, byte);
    }
}

fn needs_escape(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
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
