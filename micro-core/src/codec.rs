//! Values to bytes and back, by content type.

use bytes::Bytes;

use crate::error::{Error, ErrorKind, Result};
use crate::shape::Value;

mod json;
mod marshaller;
mod proto;
#[cfg(feature = "proto-json")]
mod proto_json;
mod slices;

pub use json::Json;
pub use marshaller::{JsonMessage, Marshaller, ProtobufMessage};
pub use proto::Proto;
#[cfg(feature = "proto-json")]
pub use proto_json::{DescribedMessage, Descriptors};
pub(crate) use slices::{LENGTH, Slices};

/// The content type of JSON.
pub const JSON: &str = "application/json";
/// The content type of protobuf.
pub const PROTOBUF: &str = "application/protobuf";
/// The content type of bytes that nobody interprets.
pub const OCTET_STREAM: &str = "application/octet-stream";

/// How a value is laid out in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// `application/json`, followed by a newline as go-micro writes it.
    Json,
    /// `application/protobuf`.
    Protobuf,
    /// `application/octet-stream`: the bytes themselves.
    Raw,
}

impl Codec {
    /// The codec of a content type; parameters (`; charset=utf-8`) are accepted and ignored.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] that lists the known content types.
    pub fn of(content_type: &str) -> Result<Self> {
        // Nearly all come without parameters.
        let essence = match content_type {
            JSON | PROTOBUF => content_type,
            _ => content_type.split(';').next().unwrap_or_default().trim(),
        };
        match essence {
            JSON | "application/json-rpc" | "application/grpc+json" => Ok(Codec::Json),
            PROTOBUF | "application/proto-rpc" | "application/grpc" | "application/grpc+proto" => {
                Ok(Codec::Protobuf)
            }
            OCTET_STREAM => Ok(Codec::Raw),
            _ => Err(Error::new(
                ErrorKind::Unsupported,
                format!("unsupported content type {essence:?}; known: {JSON}, {PROTOBUF}, {OCTET_STREAM}"),
            )),
        }
    }

    /// The content type that names this codec.
    pub fn content_type(self) -> &'static str {
        match self {
            Codec::Json => JSON,
            Codec::Protobuf => PROTOBUF,
            Codec::Raw => OCTET_STREAM,
        }
    }
}

/// A value that can be the body of a message.
///
/// [`Json`] makes one of any serde type, [`Proto`] of any prost message, and [`Bytes`] is one by itself.
/// The caller of an endpoint chooses the content type and the server obeys, so a payload may know several codecs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how it is written down",
    label = "this is no `Payload`",
    note = "wrap it: `Json<{Self}>` for a serde type, `Proto<{Self}>` for a prost message"
)]
pub trait Payload: Sized + Send + 'static {
    /// What it is sent as when nobody asks for something else.
    const CODEC: Codec;

    /// Encodes the value.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when the value does not know the codec, [`ErrorKind::Malformed`] when it cannot be
    /// written down in it (a map with keys that are not text, in JSON).
    fn encode(&self, codec: Codec) -> Result<Bytes>;

    /// Decodes a value.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when the value does not know the codec, [`ErrorKind::Malformed`] when the bytes are
    /// not such a value.
    fn decode(codec: Codec, body: Bytes) -> Result<Self>;

    /// Appends the encoded value to `out`: the same bytes as [`encode`](Payload::encode) gives, for many values in one
    /// buffer. After an error, what is behind the earlier end of `out` means nothing.
    ///
    /// # Errors
    /// As [`encode`](Payload::encode).
    fn encode_to(&self, codec: Codec, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(&self.encode(codec)?);
        Ok(())
    }

    /// Decodes a value that lies among others in one buffer: what it keeps is copied, so that one small value does not
    /// hold the buffer of many.
    ///
    /// # Errors
    /// As [`decode`](Payload::decode).
    fn decode_slice(codec: Codec, body: &[u8]) -> Result<Self> {
        Self::decode(codec, Bytes::copy_from_slice(body))
    }

    /// What it looks like, for the registry; `None` when the type cannot tell.
    fn shape() -> Option<Value> {
        None
    }
}

/// Bytes are handed through, whatever the content type says they are.
impl Payload for Bytes {
    const CODEC: Codec = Codec::Raw;

    fn encode(&self, _codec: Codec) -> Result<Bytes> {
        Ok(self.clone())
    }

    fn decode(_codec: Codec, body: Bytes) -> Result<Self> {
        Ok(body)
    }

    fn encode_to(&self, _codec: Codec, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(self);
        Ok(())
    }
}

#[inline]
fn only<T>(known: Codec, asked: Codec) -> Result<()> {
    match known == asked {
        true => Ok(()),
        false => Err(other::<T>(known, asked)),
    }
}

#[cold]
fn other<T>(known: Codec, asked: Codec) -> Error {
    let message = format!(
        "this value speaks {}, not {}",
        known.content_type(),
        asked.content_type()
    );
    Error::new(ErrorKind::Unsupported, message).with_context("type", std::any::type_name::<T>())
}

#[cold]
fn undone(
    operation: &'static str,
    codec: Codec,
    error: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    Error::new(ErrorKind::Malformed, error.to_string())
        .with_operation(operation)
        .with_context("codec", codec.content_type())
        .with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_may_carry_parameters() {
        assert_eq!(Codec::of("application/json; charset=utf-8").unwrap(), Codec::Json);
        assert_eq!(Codec::of("application/protobuf").unwrap(), Codec::Protobuf);
    }

    #[test]
    fn an_unknown_content_type_lists_the_known() {
        let error = Codec::of("text/csv").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("application/json"), "{error}");
    }

    #[test]
    fn a_value_refuses_a_codec_it_does_not_speak() {
        let error = Json::<u32>::decode(Codec::Protobuf, Bytes::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn bytes_that_do_not_decode_are_malformed() {
        let error = Json::<u32>::decode(Codec::Json, Bytes::from_static(b"{")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed);
        let error = Proto::<String>::decode(Codec::Protobuf, Bytes::from_static(b"\xff")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed);
    }

    #[test]
    fn values_come_back_as_they_went() {
        let body = Payload::encode(&Json(7_u32), Codec::Json).unwrap();
        assert_eq!(Json::<u32>::decode(Codec::Json, body).unwrap(), Json(7));
        let body = Proto("text".to_owned()).encode(Codec::Protobuf).unwrap();
        assert_eq!(Proto::<String>::decode(Codec::Protobuf, body).unwrap().0, "text");
    }

    fn lies_among_others<T: Payload + PartialEq + std::fmt::Debug>(value: T) {
        let alone = value.encode(T::CODEC).unwrap();
        let mut out = b"before".to_vec();
        value.encode_to(T::CODEC, &mut out).unwrap();
        assert_eq!(out[6..], alone[..]);
        assert_eq!(T::decode_slice(T::CODEC, &out[6..]).unwrap(), value);
    }

    #[test]
    fn values_in_one_buffer_are_the_same_bytes_as_alone() {
        lies_among_others(Json(vec![1, 2]));
        lies_among_others(Proto("text".to_owned()));
        lies_among_others(Bytes::from_static(b"\x00\xff"));
    }
}
