//! Why nothing was generated.

use std::fmt;

/// Why nothing was generated. As a `main` that returns it shows it: a sentence, with file, line and column where one is
/// to blame.
pub struct Error(Box<dyn std::error::Error + Send + Sync>);

impl Error {
    pub(crate) fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Error(source.into())
    }
}

// What a failed build script shows is this; protox, too, tells the place in its `Debug` alone.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.downcast_ref::<protox::Error>() {
            Some(error) => write!(f, "{error:?}"),
            None => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}
