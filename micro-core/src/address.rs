//! Where something can be dialled.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::name::MAX_LEN;

/// A place that a transport can dial: the node's address in the registry.
///
/// Opaque outside its transport (a NATS subject, the name of a channel). Never empty, of at most 255 bytes, without
/// white space or control characters. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(Arc<str>);

impl Address {
    /// Checks and takes an address.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when it is empty, has more than [`MAX_LEN`] bytes, or contains white space or
    /// control characters.
    pub fn new(text: impl Into<Arc<str>>) -> Result<Self, Error> {
        let text = text.into();
        if text.is_empty() {
            return Err(Error::new(ErrorKind::InvalidArgument, "an address is not empty"));
        }
        // A server may end the connection of whoever sends to a longer one, and peers say where they are.
        if text.len() > MAX_LEN {
            return Err(
                Error::new(ErrorKind::InvalidArgument, "an address has at most 255 bytes")
                    .with_context("bytes", text.len()),
            );
        }
        // Nearly all are of plain letters and signs.
        let plain = text
            .bytes()
            .fold(true, |plain, byte| plain & byte.is_ascii_graphic());
        if !plain && text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(
                Error::new(ErrorKind::InvalidArgument, "an address has no white space")
                    .with_context("address", format!("{text:?}")),
            );
        }
        Ok(Address(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Address::new(text)
    }
}

impl AsRef<str> for Address {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_illegal_address_is_invalid_argument() {
        for text in ["", " ", "a b", "a\n", "\u{0}", &"x".repeat(256)] {
            assert_eq!(
                Address::new(text).unwrap_err().kind(),
                ErrorKind::InvalidArgument,
                "{text:?}"
            );
        }
    }

    #[test]
    fn an_address_is_kept_as_given() {
        for text in ["_INBOX.x", &"x".repeat(255)] {
            assert_eq!(text.parse::<Address>().unwrap().as_str(), text);
        }
    }
}
