//! The native encoding of an event, as the documentation of this crate specifies it.

use bytes::{Buf, Bytes};
use micro_core::message::Headers;
use micro_core::{Error, ErrorKind, Message, Result, Text};
use nats_common::envelope::{MAX_HEADER_BYTES, MAX_HEADERS};

const NATIVE: u8 = 0x80;
const VERSION: u8 = 1;

/// The most bytes of a number: what is longer than 35 bits is no length of ours.
const NUMBER: usize = 5;

/// Whether a payload that begins with this byte is native, of whatever version.
pub(crate) fn begins(first: u8) -> bool {
    first & NATIVE != 0
}

/// Encodes a message in one buffer.
///
/// # Errors
/// [`ErrorKind::ResourceExhausted`] when there are more headers than a subscriber of ours would read.
pub(crate) fn encode(message: &Message) -> Result<Bytes> {
    let (count, bytes) = (message.headers.len(), message.size() - message.body.len());
    if count > MAX_HEADERS || bytes > MAX_HEADER_BYTES {
        let limits = format!("too many headers: at most {MAX_HEADERS}, of {MAX_HEADER_BYTES} bytes together");
        return Err(Error::new(ErrorKind::ResourceExhausted, limits));
    }
    let mut buffer = Vec::with_capacity(encoded_len(message));
    buffer.push(NATIVE | VERSION);
    write_number(&mut buffer, count);
    for (name, value) in message.headers.iter() {
        for text in [name, value] {
            write_number(&mut buffer, text.len());
            buffer.extend_from_slice(text.as_bytes());
        }
    }
    buffer.extend_from_slice(&message.body);
    Ok(Bytes::from(buffer))
}

/// Exactly: what is left over in a buffer makes a second allocation of it.
fn encoded_len(message: &Message) -> usize {
    let texts = message.headers.iter().flat_map(|(name, value)| [name, value]);
    let lengths: usize = texts.map(|text| number_len(text.len())).sum();
    1 + number_len(message.headers.len()) + lengths + message.size()
}

/// Decodes a message. Its body is part of the payload: nothing is copied.
///
/// # Errors
/// [`ErrorKind::Malformed`] for another version, and for lengths and texts that are none.
pub(crate) fn decode(mut payload: Bytes) -> Result<Message> {
    let (headers, body) = read(&payload).map_err(|reason| {
        Error::new(ErrorKind::Malformed, format!("not an event: {reason}"))
            .with_context("bytes", payload.len())
    })?;
    payload.advance(body);
    Ok(Message {
        headers,
        body: payload,
    })
}

/// The headers, and where the body begins.
fn read(payload: &[u8]) -> Result<(Headers, usize), &'static str> {
    let (first, mut rest) = payload.split_first().ok_or("it is empty")?;
    if *first != NATIVE | VERSION {
        return Err("it is of a version that is not known here");
    }
    let count = read_number(&mut rest)?;
    if count > MAX_HEADERS {
        return Err("too many headers");
    }
    // A count that lies must not cost memory: each header has two bytes at least.
    let mut headers = Headers::with_capacity(count.min(rest.len() / 2));
    let mut bytes = 0;
    for _ in 0..count {
        let (name, value) = (read_text(&mut rest)?, read_text(&mut rest)?);
        bytes += name.len() + value.len();
        if bytes > MAX_HEADER_BYTES {
            return Err("too many headers");
        }
        headers.insert(Text::new(name), Text::new(value));
    }
    Ok((headers, payload.len() - rest.len()))
}

fn write_number(buffer: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        buffer.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    buffer.push(number as u8);
}

/// How many bytes a number takes.
fn number_len(number: usize) -> usize {
    let bits = usize::BITS - (number | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

fn read_number(rest: &mut &[u8]) -> Result<usize, &'static str> {
    let mut number = 0_usize;
    for at in 0..NUMBER {
        let (byte, behind) = rest.split_first().ok_or("it ends within a number")?;
        *rest = behind;
        number |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err("a number is too long")
}

fn read_text<'a>(rest: &mut &'a [u8]) -> Result<&'a str, &'static str> {
    let length = read_number(rest)?;
    let (text, behind) = rest.split_at_checked(length).ok_or("it ends within a text")?;
    *rest = behind;
    std::str::from_utf8(text).map_err(|_| "a header is not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(payload: &'static [u8]) -> String {
        let error = decode(Bytes::from_static(payload)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed);
        error.to_string()
    }

    #[test]
    fn an_event_is_laid_out_as_specified() {
        for (message, expected) in [
            (Message::new("hi"), &b"\x81\x00hi"[..]),
            (
                Message::new("hi").with_header("Name", "value"),
                b"\x81\x01\x04Name\x05valuehi",
            ),
            (Message::new("").with_header("", "é"), b"\x81\x01\x00\x02\xc3\xa9"),
        ] {
            let payload = encode(&message).unwrap();
            assert_eq!(&payload[..], expected);
            assert_eq!(decode(payload).unwrap(), message);
        }
    }

    #[test]
    fn every_size_around_a_number_s_limits_comes_back() {
        for size in [0, 1, 127, 128, 129, 16_383, 16_384, 16_385] {
            let message = Message::new(vec![0xff; size]).with_header("Long", "v".repeat(size));
            let payload = encode(&message).unwrap();
            assert_eq!(payload.len(), encoded_len(&message), "{size}");
            assert_eq!(decode(payload).unwrap(), message, "{size}");
        }
    }

    #[test]
    fn the_body_is_not_copied() {
        let payload = encode(&Message::new("body")).unwrap();
        let body = decode(payload.clone()).unwrap().body;
        assert!(std::ptr::eq(&raw const payload[2], &raw const body[0]));
    }

    #[test]
    fn what_lies_is_malformed() {
        for (payload, expected) in [
            (&b"\x82\x00"[..], "version"),
            (b"\x81", "ends within a number"),
            (b"\x81\x80", "ends within a number"),
            (b"\x81\x80\x80\x80\x80\x80\x00", "a number is too long"),
            (b"\x81\xff\xff\xff\xff\x7f", "too many headers"),
            (b"\x81\x01\x05Nam", "ends within a text"),
            (b"\x81\x01\x04Name", "ends within a number"),
            (b"\x81\x01\x04Name\xff\xff\xff\xff\x7f", "ends within a text"),
            (b"\x81\x01\x01\xff\x00", "not UTF-8"),
        ] {
            assert!(
                reason(payload).contains(expected),
                "{payload:x?}: {}",
                reason(payload)
            );
        }
    }

    #[test]
    fn what_is_cut_anywhere_ends_no_process() {
        let whole = encode(&Message::new("").with_header("Name", "v".repeat(200))).unwrap();
        for length in 0..whole.len() {
            assert!(decode(whole.slice(..length)).is_err(), "{length}");
        }
    }

    #[test]
    fn too_many_headers_are_refused_on_the_way_out() {
        let names = (0..=MAX_HEADERS).map(|number| number.to_string());
        let message = names.fold(Message::default(), |message, name| message.with_header(name, ""));
        assert_eq!(encode(&message).unwrap_err().kind(), ErrorKind::ResourceExhausted);
    }
}
