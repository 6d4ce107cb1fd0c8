//! Typed events: what they are, how they are handled, and what becomes of those that fail.

mod counts;
mod failed;
mod gaps;
mod handler;
mod options;
mod panic;
mod sequence;
mod typed;

use micro_core::Headers;
use micro_core::rpc::is_reserved;

pub(crate) use counts::Counters;
pub use counts::EventCounts;
pub use failed::{EventFailure, FailedEvent};
pub(crate) use failed::{FailureHandler, handler as failure_handler};
pub(crate) use gaps::Gaps;
pub(crate) use handler::{Handler, raw, typed};
pub use options::SubscriberOptions;
pub(crate) use sequence::Sequences;
pub use typed::TypedEvent;

pub(crate) const CONTENT_TYPE: &str = "Content-Type";
pub(crate) const TOPIC: &str = "Micro-Topic";
pub(crate) const ID: &str = "Micro-ID";

/// The publisher's own headers.
pub(crate) fn metadata(headers: &Headers) -> Headers {
    headers
        .iter()
        .filter(|(name, _)| !is_reserved(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
