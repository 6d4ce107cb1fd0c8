//! prost messages as protobuf.

use bytes::Bytes;
use prost::Message;

use super::{Codec, Payload, only, undone};
use crate::error::Result;

/// A prost message as protobuf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proto<T>(pub T);

impl<T: Message + Default + 'static> Payload for Proto<T> {
    const CODEC: Codec = Codec::Protobuf;

    fn encode(&self, codec: Codec) -> Result<Bytes> {
        encode(&self.0, codec)
    }

    fn decode(codec: Codec, body: Bytes) -> Result<Self> {
        decode(codec, body).map(Proto)
    }
}

pub(super) fn encode<T: Message>(message: &T, codec: Codec) -> Result<Bytes> {
    only::<T>(Codec::Protobuf, codec)?;
    Ok(message.encode_to_vec().into())
}

pub(super) fn decode<T: Message + Default>(codec: Codec, body: Bytes) -> Result<T> {
    only::<T>(Codec::Protobuf, codec)?;
    T::decode(body).map_err(|e| undone("decode", Codec::Protobuf, e))
}
