//! prost messages as protobuf.

use bytes::{Buf, Bytes};
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

    fn encode_to(&self, codec: Codec, out: &mut Vec<u8>) -> Result<()> {
        encode_to(&self.0, codec, out)
    }

    fn decode_slice(codec: Codec, body: &[u8]) -> Result<Self> {
        decode(codec, body).map(Proto)
    }
}

pub(super) fn encode<T: Message>(message: &T, codec: Codec) -> Result<Bytes> {
    only::<T>(Codec::Protobuf, codec)?;
    Ok(message.encode_to_vec().into())
}

pub(super) fn encode_to<T: Message>(message: &T, codec: Codec, out: &mut Vec<u8>) -> Result<()> {
    only::<T>(Codec::Protobuf, codec)?;
    message.encode_raw(out);
    Ok(())
}

/// Fields that are `Bytes` are parts of a body that is `Bytes`, too, and copies of any other.
pub(super) fn decode<T: Message + Default>(codec: Codec, body: impl Buf) -> Result<T> {
    only::<T>(Codec::Protobuf, codec)?;
    T::decode(body).map_err(|e| undone("decode", Codec::Protobuf, e))
}
