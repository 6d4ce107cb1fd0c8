//! How the values of a type travel, as a value.

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;

#[cfg(feature = "proto-json")]
use super::DescribedMessage;
use super::{Codec, Payload, Slices};
use crate::error::Result;
use crate::shape::Value;

mod forms;

use forms::{Origin, Target, of_json, of_protobuf, to_json, to_protobuf};
#[cfg(feature = "proto-json")]
use forms::{of_proto_json, to_proto_json};

/// How the values of a type travel: what they are sent as, and which content types are understood.
///
/// It is what [`Payload`] says, for types that do not say it themselves: the signatures of a
/// [`Method`](crate::rpc::Method) hold plain messages, without [`Json`](super::Json) or [`Proto`](super::Proto)
/// around them.
///
/// ```
/// use micro_core::codec::{Codec, Marshaller};
/// const NAME: Marshaller<String> = Marshaller::json();
/// let body = NAME.encode(&"Ada".to_owned(), Codec::Json)?;
/// assert_eq!(NAME.decode(Codec::Json, body)?, "Ada");
/// # Ok::<(), micro_core::Error>(())
/// ```
pub struct Marshaller<T> {
    codec: Codec,
    encode: fn(&T, Codec, Target<'_>) -> Result<()>,
    decode: fn(Codec, Origin<'_, '_, T>) -> Result<T>,
    shape: fn() -> Option<Value>,
}

/// What can travel as JSON: every serde type that borrows nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel as JSON",
    label = "this is no serde type, or only half of one",
    note = "add `#[derive(serde::Serialize, serde::Deserialize)]` to `{Self}`: both, since one end writes it and the other reads it"
)]
pub trait JsonMessage: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> JsonMessage for T {}

/// What can travel as protobuf: every prost message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel as protobuf",
    label = "this is no prost message",
    note = "add `#[derive(prost::Message)]` to `{Self}`, or generate it from a .proto file"
)]
pub trait ProtobufMessage: Message + Default {}

#[diagnostic::do_not_recommend]
impl<T: Message + Default> ProtobufMessage for T {}

impl<T> Marshaller<T> {
    /// As the type says itself.
    pub const fn payload() -> Self
    where
        T: Payload,
    {
        Marshaller {
            codec: T::CODEC,
            encode: |value, codec, into| {
                into.write(|| value.encode(codec), |out| value.encode_to(codec, out))
            },
            decode: |codec, from| {
                from.read(|body| T::decode(codec, body), |body| T::decode_slice(codec, body))
            },
            shape: T::shape,
        }
    }

    /// A serde type as JSON.
    pub const fn json() -> Self
    where
        T: JsonMessage,
    {
        Marshaller {
            codec: Codec::Json,
            encode: to_json,
            decode: of_json,
            shape: || Some(Value::of::<T>()),
        }
    }

    /// A prost message as protobuf.
    pub const fn protobuf() -> Self
    where
        T: ProtobufMessage,
    {
        Marshaller {
            codec: Codec::Protobuf,
            encode: to_protobuf,
            decode: of_protobuf,
            shape: || None,
        }
    }

    /// A prost message that is a serde type too: sent as protobuf, and in JSON to whoever asks in JSON.
    pub const fn protobuf_or_json() -> Self
    where
        T: ProtobufMessage + JsonMessage,
    {
        Marshaller {
            codec: Codec::Protobuf,
            encode: |value, codec, into| match codec {
                Codec::Json => to_json(value, codec, into),
                _ => to_protobuf(value, codec, into),
            },
            decode: |codec, from| match codec {
                Codec::Json => of_json(codec, from),
                _ => of_protobuf(codec, from),
            },
            shape: || Some(Value::of::<T>()),
        }
    }

    /// A serde type that is a prost message too: sent as JSON, and in protobuf to whoever asks in protobuf.
    pub const fn json_or_protobuf() -> Self
    where
        T: ProtobufMessage + JsonMessage,
    {
        Marshaller {
            codec: Codec::Json,
            ..Marshaller::protobuf_or_json()
        }
    }

    /// A prost message: sent as protobuf, and in JSON, by protobuf's mapping of the message that `M` names, to whoever
    /// asks in JSON.
    #[cfg(feature = "proto-json")]
    pub const fn protobuf_or_proto_json<M: DescribedMessage>() -> Self
    where
        T: ProtobufMessage,
    {
        Marshaller {
            codec: Codec::Protobuf,
            encode: |value, codec, into| match codec {
                Codec::Json => to_proto_json::<M, T>(value, into),
                _ => to_protobuf(value, codec, into),
            },
            decode: |codec, from| match codec {
                Codec::Json => of_proto_json::<M, T>(from),
                _ => of_protobuf(codec, from),
            },
            shape: || None,
        }
    }

    /// As [`protobuf_or_proto_json`](Marshaller::protobuf_or_proto_json), and sent as JSON.
    #[cfg(feature = "proto-json")]
    pub const fn proto_json_or_protobuf<M: DescribedMessage>() -> Self
    where
        T: ProtobufMessage,
    {
        Marshaller {
            codec: Codec::Json,
            ..Marshaller::protobuf_or_proto_json::<M>()
        }
    }

    /// Sets what the values look like, for the registry.
    #[must_use]
    pub const fn with_shape(mut self, shape: fn() -> Option<Value>) -> Self {
        self.shape = shape;
        self
    }

    /// What values are sent as when nobody asks for something else.
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// Encodes a value.
    ///
    /// # Errors
    /// As [`Payload::encode`].
    pub fn encode(&self, value: &T, codec: Codec) -> Result<Bytes> {
        let mut body = None;
        (self.encode)(value, codec, Target::Alone(&mut body))?;
        Ok(body.unwrap_or_default())
    }

    /// Appends an encoded value to `out`.
    ///
    /// # Errors
    /// As [`Payload::encode_to`].
    pub fn encode_to(&self, value: &T, codec: Codec, out: &mut Vec<u8>) -> Result<()> {
        (self.encode)(value, codec, Target::Behind(out))
    }

    /// Decodes a value that lies among others in one buffer.
    ///
    /// # Errors
    /// As [`Payload::decode_slice`].
    pub fn decode_slice(&self, codec: Codec, body: &[u8]) -> Result<T> {
        (self.decode)(codec, Origin::Part(body))
    }

    /// Decodes the first of several values that lie in one buffer; others that follow it go to `more`, as many as suits.
    /// Nothing is taken of the first that cannot be decoded, unless it is the first of all.
    pub(crate) fn decode_some(
        &self,
        codec: Codec,
        slices: &mut Slices<'_>,
        more: &mut VecDeque<T>,
    ) -> Result<T> {
        (self.decode)(codec, Origin::Several(slices, more))
    }

    /// Decodes a value.
    ///
    /// # Errors
    /// As [`Payload::decode`].
    pub fn decode(&self, codec: Codec, body: Bytes) -> Result<T> {
        (self.decode)(codec, Origin::All(body))
    }

    /// What the values look like, for the registry; `None` when nobody can tell.
    pub fn shape(&self) -> Option<Value> {
        (self.shape)()
    }
}

// Not derived: these hold whatever the type is.
impl<T> Clone for Marshaller<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Marshaller<T> {}

impl<T> fmt::Debug for Marshaller<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Marshaller<{}>({:?})", std::any::type_name::<T>(), self.codec)
    }
}
