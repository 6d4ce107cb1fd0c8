//! Why a socket is given up, as its peer is told.

/// Why a socket is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// There is no such socket (any more).
    Unknown,
    /// There are too many sockets: nothing of this one was read.
    Refused,
    /// What came is not in the format.
    Malformed,
    /// Packets are missing, or came twice.
    Lost,
    /// More came than was allowed.
    Overflow,
    /// A message is above the limit.
    TooLarge,
    /// The version is not known here.
    Version,
    /// Something went wrong at the other end.
    Failed,
}

pub(super) const REASONS: [Reason; 8] = [
    Reason::Unknown,
    Reason::Refused,
    Reason::Malformed,
    Reason::Lost,
    Reason::Overflow,
    Reason::TooLarge,
    Reason::Version,
    Reason::Failed,
];

impl Reason {
    pub(super) fn code(self) -> u64 {
        REASONS
            .iter()
            .zip(0..)
            .find(|(reason, _)| **reason == self)
            .map_or(7, |(_, code)| code)
    }

    pub(super) fn of(code: u64) -> Self {
        let index = usize::try_from(code).unwrap_or(usize::MAX);
        REASONS.get(index).copied().unwrap_or(Reason::Failed)
    }
}
