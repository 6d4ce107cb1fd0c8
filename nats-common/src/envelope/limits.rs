//! How many headers are read.

use micro_core::message::Headers;

use super::{MAX_HEADER_BYTES, MAX_HEADERS};

/// What a call carries, with some of the caller's own.
pub(super) const TYPICAL_HEADERS: usize = 12;

/// Counts what was read, not what is kept: a name that comes again and again costs time, too.
pub(super) struct Limits {
    count: usize,
    bytes: usize,
}

impl Limits {
    /// Begins with what was read before.
    pub(super) fn of(headers: &Headers) -> Self {
        Limits {
            count: headers.len(),
            bytes: headers.iter().map(|(name, value)| name.len() + value.len()).sum(),
        }
    }

    /// Counts one more; whether it is still within the limits.
    pub(super) fn take(&mut self, name: &str, value: &str) -> bool {
        self.count += 1;
        self.bytes += name.len() + value.len();
        self.count <= MAX_HEADERS && self.bytes <= MAX_HEADER_BYTES
    }
}
