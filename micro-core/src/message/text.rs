//! Short text that is cheap to make, to clone and to compare.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

use smol_str::SmolStr;

/// Text that never changes: the name or the value of a header, of a service, of an endpoint.
///
/// What is known at compile time and what has at most 23 bytes costs no allocation; cloning never does.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(SmolStr);

impl Text {
    /// A copy of this text.
    pub fn new(text: &str) -> Self {
        Text(SmolStr::new(text))
    }

    /// Text that is known at compile time, however long.
    pub const fn from_static(text: &'static str) -> Self {
        Text(SmolStr::new_static(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

/// So that a map with such keys is asked with any text.
impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Text::from_static(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text(text.into())
    }
}

/// In decimal.
impl From<u64> for Text {
    fn from(number: u64) -> Self {
        Text::new(itoa::Buffer::new().format(number))
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0.into()
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_in_decimal() {
        for number in [0, 7, 10, 4_294_967_296, u64::MAX] {
            assert_eq!(Text::from(number), *number.to_string());
        }
    }

    #[test]
    fn it_is_as_small_as_a_string() {
        assert_eq!(size_of::<Text>(), size_of::<String>());
    }
}
