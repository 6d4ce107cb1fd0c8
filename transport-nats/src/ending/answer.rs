//! What an ending answers to whoever asks before it waits.

use micro_core::Error;

/// What a reader finds when nothing waits.
#[derive(Debug)]
pub(crate) enum Step {
    /// Nothing yet.
    Wait,
    /// Whoever knows how has to find out what reached nobody, and say [`Ending::settled`].
    Settle,
    /// The reason for an end.
    Error(Error),
    /// The end.
    End,
}

/// What becomes of a message that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It waits to be read.
    Open,
    /// Nobody reads any more.
    Ignored,
    /// The socket had ended, which a plain peer cannot know.
    Over,
}
