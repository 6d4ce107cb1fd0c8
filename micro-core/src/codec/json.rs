//! serde types as JSON.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Codec, Payload, only, undone};
use crate::error::{Error, Result};
use crate::shape::Value;

/// A serde type as JSON.
///
/// ```
/// use micro_core::codec::{Codec, Json, Payload};
/// let body = Json("hello").encode(Codec::Json)?;
/// assert_eq!(&body[..], b"\"hello\"\n");
/// # Ok::<(), micro_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Serialize> Json<T> {
    /// Encodes as JSON and a newline.
    ///
    /// # Errors
    /// As [`Payload::encode`].
    pub fn encode(&self, codec: Codec) -> Result<Bytes> {
        encode(&self.0, codec)
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Payload for Json<T> {
    const CODEC: Codec = Codec::Json;

    fn encode(&self, codec: Codec) -> Result<Bytes> {
        encode(&self.0, codec)
    }

    fn decode(codec: Codec, body: Bytes) -> Result<Self> {
        decode(codec, &body).map(Json)
    }

    fn encode_to(&self, codec: Codec, out: &mut Vec<u8>) -> Result<()> {
        encode_to(&self.0, codec, out)
    }

    fn decode_slice(codec: Codec, body: &[u8]) -> Result<Self> {
        decode(codec, body).map(Json)
    }

    fn shape() -> Option<Value> {
        Some(Value::of::<T>())
    }
}

pub(super) fn encode<T: Serialize>(value: &T, codec: Codec) -> Result<Bytes> {
    let mut body = Vec::with_capacity(256);
    encode_to(value, codec, &mut body)?;
    Ok(body.into())
}

pub(super) fn encode_to<T: Serialize>(value: &T, codec: Codec, out: &mut Vec<u8>) -> Result<()> {
    only::<T>(Codec::Json, codec)?;
    serde_json::to_writer(&mut *out, value).map_err(|e| undone("encode", Codec::Json, e))?;
    out.push(b'\n');
    Ok(())
}

pub(super) fn decode<T: DeserializeOwned>(codec: Codec, body: &[u8]) -> Result<T> {
    only::<T>(Codec::Json, codec)?;
    // To check all of the text at once costs less than to check each of the texts in it.
    let decoded = match std::str::from_utf8(body) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(body),
    };
    decoded.map_err(|error| located::<T>(body, error))
}

/// Says which field did not fit. Only that it did not is found out at once: to know where takes another, slower look.
fn located<T: DeserializeOwned>(body: &[u8], error: serde_json::Error) -> Error {
    let input = &mut serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, T>(input) {
        Err(found) if found.path().iter().len() > 0 => undone("decode", Codec::Json, found),
        _ => undone("decode", Codec::Json, error),
    }
}
