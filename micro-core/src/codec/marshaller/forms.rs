//! The forms in which values travel, written and read alone and among others.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;

use super::{JsonMessage, ProtobufMessage};
use crate::codec::{Codec, Slices, json, proto};
#[cfg(feature = "proto-json")]
use crate::codec::{DescribedMessage, proto_json};
use crate::error::{Error, ErrorKind, Result};

/// How many values are read at once at most, and how much memory they take, beside what they own.
const AT_ONCE: usize = 64;
const BYTES_AT_ONCE: usize = 4096;

/// How many bytes of what a peer sent are read ahead: what values own may take many times as much.
const ENCODED_AT_ONCE: usize = 32 << 10;

/// What a value is written to.
pub(super) enum Target<'a> {
    Alone(&'a mut Option<Bytes>),
    /// Behind others.
    Behind(&'a mut Vec<u8>),
}

impl Target<'_> {
    /// Writes with the function that suits.
    #[inline]
    pub(super) fn write(
        self,
        alone: impl FnOnce() -> Result<Bytes>,
        behind: impl FnOnce(&mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        match self {
            Target::Alone(body) => alone().map(|written| *body = Some(written)),
            Target::Behind(out) => behind(out),
        }
    }
}

/// What a value is read from.
pub(super) enum Origin<'a, 'b, T> {
    All(Bytes),
    Part(&'a [u8]),
    /// The first of these; those behind it are read with it.
    Several(&'a mut Slices<'b>, &'a mut VecDeque<T>),
}

impl<T> Origin<'_, '_, T> {
    /// Reads with the function that suits.
    #[inline]
    pub(super) fn read(
        self,
        all: impl FnOnce(Bytes) -> Result<T>,
        part: impl Fn(&[u8]) -> Result<T>,
    ) -> Result<T> {
        match self {
            Origin::All(body) => all(body),
            Origin::Part(body) => part(body),
            Origin::Several(slices, more) => several(slices, more, part),
        }
    }
}

/// Reads the first, and what follows it up to the first that cannot be read: that is the first of all the next time.
fn several<T>(
    slices: &mut Slices<'_>,
    more: &mut VecDeque<T>,
    part: impl Fn(&[u8]) -> Result<T>,
) -> Result<T> {
    let nothing = || Error::new(ErrorKind::Malformed, "there is nothing to decode");
    let first = part(slices.next().ok_or_else(nothing)?)?;
    // What panics cannot be read either, and takes nothing along of what came before it.
    let _ = catch_unwind(AssertUnwindSafe(|| read_on(slices, more, &part)));
    Ok(first)
}

fn read_on<T>(slices: &mut Slices<'_>, more: &mut VecDeque<T>, part: impl Fn(&[u8]) -> Result<T>) {
    let most = BYTES_AT_ONCE / size_of::<T>().max(BYTES_AT_ONCE / AT_ONCE);
    let enough = slices.rest().len().saturating_sub(ENCODED_AT_ONCE);
    more.reserve(most.min(slices.len()));
    while more.len() < most && slices.rest().len() > enough {
        let mut behind = *slices;
        let Some(Ok(value)) = behind.next().map(&part) else {
            break;
        };
        more.push_back(value);
        *slices = behind;
    }
}

pub(super) fn to_json<T: JsonMessage>(value: &T, codec: Codec, into: Target<'_>) -> Result<()> {
    into.write(
        || json::encode(value, codec),
        |out| json::encode_to(value, codec, out),
    )
}

pub(super) fn of_json<T: JsonMessage>(codec: Codec, from: Origin<'_, '_, T>) -> Result<T> {
    from.read(
        |body| json::decode(codec, &body),
        |body| json::decode(codec, body),
    )
}

pub(super) fn to_protobuf<T: ProtobufMessage>(value: &T, codec: Codec, into: Target<'_>) -> Result<()> {
    into.write(
        || proto::encode(value, codec),
        |out| proto::encode_to(value, codec, out),
    )
}

pub(super) fn of_protobuf<T: ProtobufMessage>(codec: Codec, from: Origin<'_, '_, T>) -> Result<T> {
    from.read(
        |body| proto::decode(codec, body),
        |body| proto::decode(codec, body),
    )
}

#[cfg(feature = "proto-json")]
pub(super) fn to_proto_json<M: DescribedMessage, T: ProtobufMessage>(
    value: &T,
    into: Target<'_>,
) -> Result<()> {
    into.write(
        || proto_json::encode::<M, T>(value),
        |out| proto_json::encode_to::<M, T>(value, out),
    )
}

#[cfg(feature = "proto-json")]
pub(super) fn of_proto_json<M: DescribedMessage, T: ProtobufMessage>(from: Origin<'_, '_, T>) -> Result<T> {
    from.read(
        |body| proto_json::decode::<M, T>(&body),
        proto_json::decode::<M, T>,
    )
}
