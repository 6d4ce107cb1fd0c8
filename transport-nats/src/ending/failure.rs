//! Why something ended.

use std::borrow::Cow;

use micro_core::{Error, ErrorKind};

/// Why something ended.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    kind: ErrorKind,
    text: Cow<'static, str>,
    undelivered: usize,
}

impl Failure {
    pub(crate) fn new(kind: ErrorKind, text: impl Into<Cow<'static, str>>) -> Self {
        Failure {
            kind,
            text: text.into(),
            undelivered: 0,
        }
    }

    /// Says how many of the last messages sent certainly reached nobody.
    pub(crate) fn with_undelivered(mut self, count: usize) -> Self {
        self.undelivered = count;
        self
    }

    pub(crate) fn error(&self) -> Error {
        Error::new(self.kind, self.text.clone()).with_undelivered(self.undelivered)
    }
}
