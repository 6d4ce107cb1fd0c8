//! What one call says of how it is made, beyond what is sent.

use crate::client::Hedge;
use crate::selector::Choice;

/// Where a call may go, and how often; by default as the client does it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) choice: Choice,
    /// How often it is made again after it may have run, in place of the client's number.
    pub(crate) retries: Option<u32>,
    /// When it is made on a second node beside the first, in place of what the client does.
    /// Boxed, so that it does not make the future of every call larger.
    pub(crate) hedge: Option<Box<Hedge>>,
}
