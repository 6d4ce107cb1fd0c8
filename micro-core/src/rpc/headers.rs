//! The names of the headers that go-micro's calls use, spelled as it spells them: they are case-sensitive.

pub(crate) const SERVICE: &str = "Micro-Service";
pub(crate) const METHOD: &str = "Micro-Method";
pub(crate) const ENDPOINT: &str = "Micro-Endpoint";
/// Since go-micro v4.10.
pub(crate) const ID: &str = "Micro-ID";
/// Before v4.10. A server echoes only the spelling it knows, so a request carries both.
pub(crate) const ID_OLD: &str = "Micro-Id";
pub(crate) const ERROR: &str = "Micro-Error";
pub(crate) const STREAM: &str = "Micro-Stream";
pub(crate) const CONTENT_TYPE: &str = "Content-Type";
pub(crate) const ACCEPT: &str = "Accept";
/// Nanoseconds, decimal.
pub(crate) const TIMEOUT: &str = "Timeout";

/// Ours: what the message says beyond go-micro's vocabulary. Only for peers that carry
/// [`FEATURES_KEY`](crate::rpc::FEATURES_KEY).
pub(crate) const CONTROL: &str = "Micro-Control";

/// Value of [`ERROR`]: the end of a stream, from either side.
pub(crate) const EOS: &str = "EOS";
/// Value of [`CONTROL`]: the caller sends no more, and still reads.
pub(crate) const HALF_CLOSE: &str = "half-close";
/// Value of [`CONTROL`]: the caller no longer waits for the answer.
pub(crate) const CANCEL: &str = "cancel";
/// Value of [`CONTROL`]: in what opens a stream, that its caller understands packs of items; in any later message, that
/// its body is one.
pub(crate) const ITEMS: &str = "items";
/// Value of [`CONTROL`]: the body says how much the other end may send.
pub(crate) const CREDIT: &str = "credit";

/// A content type that no server knows, and the id of a message that has it: see [`ping`](super::frame::ping).
pub(crate) const PING: &str = "application/x-micro-ping";
pub(crate) const PING_ID: &str = "ping";

/// Whether a name is the framework's own, so that it cannot be used for metadata.
pub fn is_reserved(name: &str) -> bool {
    name.is_empty()
        || name.starts_with(':')
        || ["Micro-", "X-Micro-"].iter().any(|prefix| {
            name.get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        })
        || [CONTENT_TYPE, ACCEPT, TIMEOUT, "Connection", "Local", "Remote"].contains(&name)
}
