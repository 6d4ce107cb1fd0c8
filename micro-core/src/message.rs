//! What travels: headers and a body.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;

mod spare;
mod text;

pub use text::Text;

/// Names and values that describe something that lasts: a service, a node, an endpoint. Sorted by name.
pub type Metadata = BTreeMap<String, String>;

/// One message of a socket or an event: headers and an opaque body.
///
/// Cloning is cheap: the body is reference counted, and so are headers of more than 23 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Names and values beside the body.
    pub headers: Headers,
    /// The payload. It is handed through without a copy.
    pub body: Bytes,
}

impl Message {
    /// A message without headers.
    pub fn new(body: impl Into<Bytes>) -> Self {
        Message {
            headers: Headers::new(),
            body: body.into(),
        }
    }

    /// Sets a header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// How many bytes names, values and body hold together.
    pub fn size(&self) -> usize {
        self.body.len()
            + self
                .headers
                .iter()
                .map(|(name, value)| name.len() + value.len())
                .sum::<usize>()
    }
}

/// Names and values: each name once, in the order of first insertion.
///
/// Names are **case-sensitive**, as they are between go-micro peers. A message has a dozen at most, so a list
/// that is searched from its start beats a hash table.
#[derive(Clone, Default, Eq)]
pub struct Headers(Vec<(Text, Text)>);

impl Headers {
    /// No headers.
    pub const fn new() -> Self {
        Headers(Vec::new())
    }

    /// No headers, with room for `capacity`.
    pub fn with_capacity(capacity: usize) -> Self {
        Headers(spare::take(capacity))
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_ref())
    }

    /// Sets `name`, and returns the value it replaces.
    pub fn insert(&mut self, name: impl Into<Text>, value: impl Into<Text>) -> Option<Text> {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(key, _)| *key == name) {
            Some((_, old)) => Some(std::mem::replace(old, value)),
            None => {
                self.0.push((name, value));
                None
            }
        }
    }

    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.0.reserve_exact(more);
    }

    /// Appends `name` without looking for an earlier one: for names that the caller knows to be new.
    pub(crate) fn push(&mut self, name: impl Into<Text>, value: impl Into<Text>) {
        self.0.push((name.into(), value.into()));
    }

    /// Takes `name` out.
    pub fn remove(&mut self, name: &str) -> Option<Text> {
        let index = self.0.iter().position(|(key, _)| key == name)?;
        Some(self.0.remove(index).1)
    }

    /// Whether `name` is set.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Keeps only the headers for which `keep` answers true.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &str) -> bool) {
        self.0.retain(|(name, value)| keep(name, value));
    }

    /// Hands each header to `take`, and drops those for which it answers true: it may have taken the value.
    pub(crate) fn take_if(&mut self, mut take: impl FnMut(&str, &mut Text) -> bool) {
        self.0.retain_mut(|(name, value)| !take(name, value));
    }

    /// Names and values, in the order of insertion.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for Headers {
    fn drop(&mut self) {
        spare::give_back(std::mem::take(&mut self.0));
    }
}

/// Equal when the same names have the same values, in any order.
impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(name, value)| other.get(name) == Some(value))
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl IntoIterator for Headers {
    type Item = (Text, Text);
    type IntoIter = std::vec::IntoIter<(Text, Text)>;

    fn into_iter(mut self) -> Self::IntoIter {
        std::mem::take(&mut self.0).into_iter()
    }
}

impl<N: Into<Text>, V: Into<Text>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut headers = Headers::new();
        headers.extend(pairs);
        headers
    }
}

impl<N: Into<Text>, V: Into<Text>> Extend<(N, V)> for Headers {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, pairs: I) {
        for (name, value) in pairs {
            self.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_case_sensitive() {
        let headers = Headers::from_iter([("Micro-Id", "1"), ("Micro-ID", "2")]);
        assert_eq!(
            (headers.get("Micro-Id"), headers.get("Micro-ID")),
            (Some("1"), Some("2"))
        );
        assert_eq!(headers.get("micro-id"), None);
    }

    #[test]
    fn insert_replaces_and_returns_the_old_value() {
        let mut headers = Headers::from_iter([("A", "1"), ("B", "2")]);
        assert_eq!(headers.insert("A", "3").as_deref(), Some("1"));
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("A", "3"), ("B", "2")]);
    }

    #[test]
    fn equality_ignores_order() {
        assert_eq!(
            Headers::from_iter([("A", "1"), ("B", "2")]),
            Headers::from_iter([("B", "2"), ("A", "1")])
        );
        assert_ne!(Headers::from_iter([("A", "1")]), Headers::from_iter([("A", "2")]));
    }

    #[test]
    fn size_counts_names_values_and_body() {
        assert_eq!(Message::new("12345").with_header("ab", "c").size(), 8);
    }
}
