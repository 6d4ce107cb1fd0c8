//! The one error of this side: what went wrong, where, and whether to try again.

use std::error::Error as StdError;
use std::fmt;

/// A [`Result`](std::result::Result) whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation of this side failed.
///
/// One word wide, so that a `Result` stays small. What a caller can act on is the [`kind`](Error::kind);
/// [`Display`](fmt::Display) gives the sentence for humans, and [`source`](StdError::source) what lay beneath.
///
/// What a *call* ended with, as told by its peer, is a [`Status`](crate::rpc::Status).
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    operation: Option<&'static str>,
    context: Vec<(&'static str, String)>,
    undelivered: usize,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What a caller can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input can never work: an illegal name, an address that does not parse, an unknown plugin.
    InvalidArgument,
    /// What was asked for is not there.
    NotFound,
    /// What was to be made is there already: an address in use, an endpoint served twice.
    AlreadyExists,
    /// The other side refuses our credentials, or what they may do.
    PermissionDenied,
    /// Nobody answers there now; later, or elsewhere, somebody may.
    Unavailable,
    /// The time limit passed.
    Timeout,
    /// The handle was closed, by this end or by the other.
    Closed,
    /// A limit was reached: a message too large, a table full.
    ResourceExhausted,
    /// A bounded queue overflowed: this many items were lost, and what follows is newer.
    Lagged(u64),
    /// Bytes that do not decode.
    Malformed,
    /// The backend or the peer cannot do this.
    Unsupported,
    /// A defect on our side.
    Internal,
}

impl Error {
    /// An error of this kind, with a sentence for humans.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            operation: None,
            context: Vec::new(),
            undelivered: 0,
            source: None,
        }))
    }

    /// `count` items were lost to a full queue.
    pub fn lagged(count: u64) -> Self {
        Error::new(
            ErrorKind::Lagged(count),
            format!("the queue was full: {count} lost"),
        )
    }

    /// The handle was closed by one of its ends.
    pub fn closed(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Closed, message)
    }

    /// Names the operation that failed. The first name given stays: it is the nearest to the cause.
    #[must_use]
    pub fn with_operation(mut self, operation: &'static str) -> Self {
        self.0.operation.get_or_insert(operation);
        self
    }

    /// Adds what the operation was about.
    #[must_use]
    pub fn with_context(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.0.context.push((key, value.to_string()));
        self
    }

    /// Keeps the error that lay beneath.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Says that the last `count` messages sent on the socket concerned, or the event published, certainly reached nobody.
    #[must_use]
    pub fn with_undelivered(mut self, count: usize) -> Self {
        self.0.undelivered = count;
        self
    }

    /// What a caller can act on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The sentence, without operation and context.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// How many of the last messages sent on the failed socket certainly reached nobody; 1 for an event that was not sent.
    ///
    /// These may be sent again elsewhere without running twice. Zero says nothing about any of them.
    pub fn undelivered(&self) -> usize {
        self.0.undelivered
    }

    /// How many items were lost, when the kind is [`ErrorKind::Lagged`].
    pub fn lost(&self) -> Option<u64> {
        match self.0.kind {
            ErrorKind::Lagged(count) => Some(count),
            _ => None,
        }
    }

    /// Whether the same operation may succeed later without a change of its input.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::ResourceExhausted
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.0.operation {
            write!(f, "{operation}: ")?;
        }
        f.write_str(&self.0.message)?;
        for (index, (key, value)) in self.0.context.iter().enumerate() {
            let opening = if index == 0 { " (" } else { ", " };
            write!(f, "{opening}{key}: {value}")?;
        }
        if !self.0.context.is_empty() {
            f.write_str(")")?;
        }
        Ok(())
    }
}

/// The sentence and its causes: it is what `fn main() -> Result<()>` prints.
///
/// A cause that the sentence before has quoted already is passed over, and so is one that only says before it where, or
/// with which code.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.to_string();
        write!(f, "{said} [{:?}]", self.0.kind)?;
        let mut cause = StdError::source(self);
        while let Some(error) = cause {
            let sentence = error.to_string();
            if !said.contains(&sentence) && !sentence.ends_with(&said) {
                write!(f, "\n  caused by: {sentence}")?;
                said = sentence;
            }
            cause = error.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_names_operation_and_context() {
        let error = Error::new(ErrorKind::Unavailable, "nobody listens")
            .with_operation("dial")
            .with_operation("call")
            .with_context("address", "a.b")
            .with_context("service", "greeter");
        assert_eq!(
            error.to_string(),
            "dial: nobody listens (address: a.b, service: greeter)"
        );
    }

    #[test]
    fn debug_lists_the_causes() {
        let error = Error::new(ErrorKind::Internal, "broken").with_source("the cause");
        assert_eq!(format!("{error:?}"), "broken [Internal]\n  caused by: the cause");
    }

    #[test]
    fn debug_says_nothing_twice() {
        let error = Error::new(ErrorKind::Internal, "read: broken").with_source("broken");
        assert_eq!(format!("{error:?}"), "read: broken [Internal]");
    }

    #[test]
    fn lagged_says_how_many_were_lost() {
        assert_eq!(Error::lagged(3).lost(), Some(3));
        assert_eq!(Error::closed("gone").lost(), None);
    }

    #[test]
    fn an_error_is_one_word() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
