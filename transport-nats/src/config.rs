//! How this transport is told to behave.

use micro_core::{Error, ErrorKind, PluginConfig, Result};
use nats_common::parameters;

/// How this transport speaks to peers of its own kind. To all others it speaks as go-micro does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// In binary packets, with everything that a socket promises.
    #[default]
    Native,
    /// In go-micro's JSON envelopes: to see on the wire what is said, or to measure what the other is worth.
    GoMicro,
}

impl Encoding {
    fn parse(text: &str) -> Result<Self> {
        match text {
            "native" => Ok(Encoding::Native),
            "go-micro" => Ok(Encoding::GoMicro),
            _ => Err(unknown("encoding", text, "native, go-micro")),
        }
    }
}

/// What can be said in an address.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said {
    pub(crate) encoding: Option<Encoding>,
    pub(crate) max_message_size: Option<usize>,
}

impl Said {
    /// Takes the transport's own parameters out of the addresses: what is behind a `?`, as in
    /// `127.0.0.1:4222?encoding=go-micro&max_message_size=1048576`.
    pub(crate) fn from_config(config: &PluginConfig) -> Result<(Self, PluginConfig)> {
        let mut said = Said::default();
        let config = parameters(config, |parameter| said.set(parameter))?;
        Ok((said, config))
    }

    fn set(&mut self, parameter: &str) -> Result<()> {
        match parameter.split_once('=') {
            Some(("encoding", value)) => self.encoding = Some(Encoding::parse(value)?),
            Some(("max_message_size", value)) => {
                let bytes = value.parse().ok().filter(|bytes| *bytes > 0);
                let bytes =
                    bytes.ok_or_else(|| unknown("max_message_size", value, "a number of bytes, above 0"))?;
                self.max_message_size = Some(bytes);
            }
            _ => return Err(unknown("parameter", parameter, "encoding, max_message_size")),
        }
        Ok(())
    }
}

fn unknown(what: &'static str, given: &str, known: &'static str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("unknown {what} of the NATS transport"),
    )
    .with_context("given", format!("{given:?}"))
    .with_context("known", known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(addresses: &str) -> Result<(Said, PluginConfig)> {
        Said::from_config(&PluginConfig::default().with_addresses(addresses))
    }

    #[test]
    fn parameters_are_taken_out_of_the_addresses() {
        let (said, config) = parse("a:1?encoding=go-micro&max_message_size=70000,b:2").unwrap();
        assert_eq!(
            (said.encoding, said.max_message_size),
            (Some(Encoding::GoMicro), Some(70_000))
        );
        assert_eq!(config.addresses, ["a:1", "b:2"]);
        let (said, config) = parse("?encoding=native").unwrap();
        assert_eq!(
            (said.encoding, config.addresses.len()),
            (Some(Encoding::Native), 0)
        );
    }

    #[test]
    fn what_is_not_known_is_answered_with_what_is() {
        for (query, known) in [
            ("encoding=json", "native, go-micro"),
            ("encoding", "encoding, max_message_size"),
            ("max_message_size=0", "a number of bytes"),
            ("max_message_size=1MiB", "a number of bytes"),
        ] {
            let error = parse(&format!("a:1?{query}")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.to_string().contains(known), "{error}");
        }
    }
}
