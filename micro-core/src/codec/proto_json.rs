//! prost messages as JSON, by protobuf's own mapping.

use std::fmt;
use std::sync::OnceLock;

use bytes::Bytes;
use prost::Message;
use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor};

use super::{Codec, ProtobufMessage, proto, undone};
use crate::error::{Error, ErrorKind, Result};

/// What .proto files declare, as `micro-build` writes it: an encoded `FileDescriptorSet`, with all that is imported.
///
/// It is read when it is first needed, so those who speak protobuf alone pay nothing.
pub struct Descriptors {
    encoded: &'static [u8],
    pool: OnceLock<DescriptorPool>,
}

/// Which message of a .proto file a type stands for.
///
/// It is not asked of the message itself: `()` stands for `google.protobuf.Empty`, and a message may come from
/// another crate.
pub trait DescribedMessage {
    /// With its package: `shop.v1.Order`.
    const NAME: &'static str;

    /// Where it is declared.
    fn descriptors() -> &'static Descriptors;
}

impl Descriptors {
    /// Of an encoded `FileDescriptorSet`.
    pub const fn new(encoded: &'static [u8]) -> Self {
        Descriptors {
            encoded,
            pool: OnceLock::new(),
        }
    }

    fn message(&self, name: &str) -> Result<MessageDescriptor> {
        let pool = match self.pool.get() {
            Some(pool) => pool,
            None => {
                let read = DescriptorPool::decode(self.encoded).map_err(|error| {
                    Error::new(
                        ErrorKind::Internal,
                        "the descriptors of the .proto files cannot be read",
                    )
                    .with_source(error)
                })?;
                self.pool.get_or_init(|| read)
            }
        };
        pool.get_message_by_name(name).ok_or_else(|| {
            Error::new(ErrorKind::Internal, "no .proto file declares this message")
                .with_context("message", name)
        })
    }
}

impl fmt::Debug for Descriptors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Descriptors({} bytes)", self.encoded.len())
    }
}

/// JSON by the mapping.
pub(super) fn encode<M: DescribedMessage, T: ProtobufMessage>(message: &T) -> Result<Bytes> {
    let mut out = Vec::new();
    encode_to::<M, T>(message, &mut out)?;
    Ok(out.into())
}

/// Appends JSON by the mapping.
pub(super) fn encode_to<M: DescribedMessage, T: ProtobufMessage>(
    message: &T,
    out: &mut Vec<u8>,
) -> Result<()> {
    let described = M::descriptors().message(M::NAME)?;
    let dynamic = DynamicMessage::decode(described, message.encode_to_vec().as_slice())
        .map_err(|error| undone("encode", Codec::Json, error))?;
    serde_json::to_writer(&mut *out, &dynamic).map_err(|error| undone("encode", Codec::Json, error))?;
    out.push(b'\n');
    Ok(())
}

/// From JSON by the mapping. Fields that are not known are passed over, as in protobuf.
pub(super) fn decode<M: DescribedMessage, T: ProtobufMessage>(body: &[u8]) -> Result<T> {
    let described = M::descriptors().message(M::NAME)?;
    let dynamic = read(&described, body).map_err(|error| located(described, body, error))?;
    proto::decode(Codec::Protobuf, Bytes::from(dynamic.encode_to_vec()))
}

fn read(described: &MessageDescriptor, body: &[u8]) -> serde_json::Result<DynamicMessage> {
    let mut input = serde_json::Deserializer::from_slice(body);
    let message = DynamicMessage::deserialize_with_options(described.clone(), &mut input, &lenient())?;
    input.end()?;
    Ok(message)
}

/// Says which field did not fit. Only that it did not is found out at once: to know where takes another, slower look.
fn located(described: MessageDescriptor, body: &[u8], error: serde_json::Error) -> Error {
    let mut track = serde_path_to_error::Track::new();
    let mut input = serde_json::Deserializer::from_slice(body);
    let tracked = serde_path_to_error::Deserializer::new(&mut input, &mut track);
    let again = DynamicMessage::deserialize_with_options(described, tracked, &lenient());
    let path = track.path();
    match again {
        Err(error) if path.iter().len() > 0 => Error::new(ErrorKind::Malformed, format!("{path}: {error}"))
            .with_operation("decode")
            .with_context("codec", Codec::Json.content_type())
            .with_source(error),
        _ => undone("decode", Codec::Json, error),
    }
}

fn lenient() -> DeserializeOptions {
    DeserializeOptions::new().deny_unknown_fields(false)
}
