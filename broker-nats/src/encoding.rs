//! Events as bytes, in one of two encodings. A subscriber tells them apart by the first byte, and reads both.

use bytes::Bytes;
use micro_core::{Error, ErrorKind, Message, PluginConfig, Result};
use nats_common::{envelope, parameters};

use crate::native;

/// What a broker publishes. Whatever it is, its subscriptions read both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// go-micro's envelope: JSON, with the body in base64. Services built on go-micro read it.
    #[default]
    GoMicro,
    /// Headers and body as they are, behind a first byte with which no JSON begins. It costs half of the processor
    /// time; services built on go-micro cannot read it.
    Native,
}

/// What is left of a payload for headers and body: braces and quotes, or lengths, of some 160 headers.
const OVERHEAD: usize = 1024;

impl Encoding {
    /// Takes the broker's own parameters out of the addresses: what is behind a `?`, as in
    /// `127.0.0.1:4222?encoding=native`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for an unknown parameter or value, listing the known ones.
    pub fn from_config(config: &PluginConfig) -> Result<(Self, PluginConfig)> {
        let mut encoding = Encoding::default();
        let config = parameters(config, |parameter| {
            encoding = Encoding::parse(parameter)?;
            Ok(())
        })?;
        Ok((encoding, config))
    }

    fn parse(parameter: &str) -> Result<Self> {
        match parameter.split_once('=') {
            Some(("encoding", "go-micro")) => Ok(Encoding::GoMicro),
            Some(("encoding", "native")) => Ok(Encoding::Native),
            Some(("encoding", value)) => Err(unknown("encoding", value, "go-micro, native")),
            _ => Err(unknown("parameter", parameter, "encoding")),
        }
    }

    /// The largest event that fits a payload of so many bytes: base64 makes four of three.
    pub(crate) fn max_message_size(self, payload: usize) -> usize {
        let payload = payload.saturating_sub(OVERHEAD);
        match self {
            Encoding::GoMicro => payload / 4 * 3,
            Encoding::Native => payload,
        }
    }

    pub(crate) fn encode(self, message: &Message) -> Result<Bytes> {
        match self {
            Encoding::GoMicro => envelope::encode(message),
            Encoding::Native => native::encode(message),
        }
    }
}

/// Reads an event in either encoding.
pub(crate) fn decode(payload: Bytes) -> Result<Message> {
    match payload.first() {
        Some(first) if native::begins(*first) => native::decode(payload),
        _ => envelope::decode(&payload),
    }
}

fn unknown(what: &str, given: &str, known: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("unknown {what} {given:?} for the NATS broker; known: {known}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_encoding_is_told_by_its_first_byte() {
        let message = Message::new("body").with_header("Name", "value");
        for encoding in [Encoding::GoMicro, Encoding::Native] {
            let payload = encoding.encode(&message).unwrap();
            assert_eq!(decode(payload).unwrap(), message, "{encoding:?}");
        }
    }

    #[test]
    fn the_encoding_is_chosen_behind_an_address() {
        for (addresses, encoding, servers) in [
            (
                "nats://a:1?encoding=native,b:2",
                Encoding::Native,
                &["nats://a:1", "b:2"][..],
            ),
            ("?encoding=go-micro", Encoding::GoMicro, &[]),
            ("a", Encoding::GoMicro, &["a"]),
        ] {
            let config = PluginConfig::default().with_addresses(addresses);
            let (chosen, config) = Encoding::from_config(&config).unwrap();
            assert_eq!(chosen, encoding, "{addresses}");
            assert_eq!(config.addresses, servers, "{addresses}");
        }
    }

    #[test]
    fn what_is_unknown_is_refused_with_what_is_known() {
        for (address, known) in [("a?encoding=xml", "go-micro, native"), ("a?tls=1", "encoding")] {
            let config = PluginConfig::default().with_addresses(address);
            let error = Encoding::from_config(&config).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.to_string().contains(known), "{error}");
        }
    }
}
