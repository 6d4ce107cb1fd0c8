//! go-micro's message on the wire: `{"Header":{string:string},"Body":"<standard base64, padded>"}`.
//!
//! This is on the path of every call, so neither direction copies the body on its way: [`encode()`] writes base64
//! straight into the one buffer that is sent, [`decode()`] reads it straight from the bytes that came.

mod base64;
mod body;
mod decode;
mod encode;
mod json;
mod known;
mod limits;
mod plain;
#[cfg(test)]
mod tests;

pub use decode::decode;
pub use encode::encode;

/// The most bytes that the names and values of one message may hold together: 1 MiB.
pub const MAX_HEADER_BYTES: usize = 1024 * 1024;

/// The most headers that one message may have: 1,024. Each new one is compared with those before it.
pub const MAX_HEADERS: usize = 1024;

/// What the parser of nearly all messages reads, and what the parser of any JSON does.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn decode_twice(payload: &[u8]) -> [Option<micro_core::Message>; 2] {
    let text = std::str::from_utf8(payload).ok();
    [
        plain::decode(payload),
        text.and_then(|text| json::decode(text).ok()),
    ]
}
