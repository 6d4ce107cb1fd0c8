//! The body: base64 text to bytes, from where it stands into the buffer that is handed on.

use std::fmt;

use base64::{DecodeSliceError, Engine};
use bytes::Bytes;
use serde::de::{self, DeserializeSeed, Deserializer, Visitor};

use super::base64::STANDARD;

/// Reads the body of a message.
pub(super) struct Body;

impl<'de> DeserializeSeed<'de> for Body {
    type Value = Bytes;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Bytes, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Body {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("base64 text as Body")
    }

    fn visit_unit<E>(self) -> Result<Bytes, E> {
        Ok(Bytes::new())
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Bytes, E> {
        from_base64(text.as_bytes()).map_err(not_base64)
    }

    /// Text that had escapes in it: they may stand for line breaks, which Go passes over.
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
        let text: Vec<u8> = text
            .bytes()
            .filter(|byte| !matches!(byte, b'\r' | b'\n'))
            .collect();
        from_base64(&text).map_err(not_base64)
    }
}

/// Reads base64 into a buffer of exactly the right size.
#[allow(clippy::slow_vector_initialization, reason = "it is not: see below")]
pub(super) fn from_base64(text: &[u8]) -> Result<Bytes, DecodeSliceError> {
    let padding = text.iter().rev().take(2).filter(|byte| **byte == b'=').count();
    let size = (text.len().div_ceil(4) * 3).saturating_sub(padding);
    // Cheaper than to ask for zeros, which the allocator has no small blocks of at hand.
    let mut body = Vec::with_capacity(size);
    body.resize(size, 0);
    let length = STANDARD.decode_slice(text, &mut body)?;
    body.truncate(length);
    Ok(Bytes::from(body))
}

fn not_base64<E: de::Error>(error: DecodeSliceError) -> E {
    E::custom(format_args!("Body is not base64: {error}"))
}
