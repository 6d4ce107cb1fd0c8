//! The forms in which values travel, written and read alone and among others.

use bytes::Bytes;

use super::{JsonMessage, ProtobufMessage};
use crate::codec::{Codec, json, proto};
#[cfg(feature = "proto-json")]
use crate::codec::{DescribedMessage, proto_json};
use crate::error::Result;

/// What a value is written behind; `None` for bytes of its own.
pub(super) type Target<'a> = Option<&'a mut Vec<u8>>;

/// What a value is read from.
pub(super) enum Origin<'a> {
    All(Bytes),
    Part(&'a [u8]),
}

/// What is left to hand out of a value that was written behind others.
pub(super) fn none((): ()) -> Bytes {
    Bytes::new()
}

pub(super) fn to_json<T: JsonMessage>(value: &T, codec: Codec, into: Target<'_>) -> Result<Bytes> {
    match into {
        None => json::encode(value, codec),
        Some(out) => json::encode_to(value, codec, out).map(none),
    }
}

pub(super) fn of_json<T: JsonMessage>(codec: Codec, from: Origin<'_>) -> Result<T> {
    match from {
        Origin::All(body) => json::decode(codec, &body),
        Origin::Part(body) => json::decode(codec, body),
    }
}

pub(super) fn to_protobuf<T: ProtobufMessage>(value: &T, codec: Codec, into: Target<'_>) -> Result<Bytes> {
    match into {
        None => proto::encode(value, codec),
        Some(out) => proto::encode_to(value, codec, out).map(none),
    }
}

pub(super) fn of_protobuf<T: ProtobufMessage>(codec: Codec, from: Origin<'_>) -> Result<T> {
    match from {
        Origin::All(body) => proto::decode(codec, body),
        Origin::Part(body) => proto::decode(codec, body),
    }
}

#[cfg(feature = "proto-json")]
pub(super) fn to_proto_json<M: DescribedMessage, T: ProtobufMessage>(
    value: &T,
    into: Target<'_>,
) -> Result<Bytes> {
    match into {
        None => {
            let mut out = Vec::new();
            proto_json::encode_to::<M, T>(value, &mut out)?;
            Ok(out.into())
        }
        Some(out) => proto_json::encode_to::<M, T>(value, out).map(none),
    }
}

#[cfg(feature = "proto-json")]
pub(super) fn of_proto_json<M: DescribedMessage, T: ProtobufMessage>(from: Origin<'_>) -> Result<T> {
    match from {
        Origin::All(body) => proto_json::decode::<M, T>(&body),
        Origin::Part(body) => proto_json::decode::<M, T>(body),
    }
}
