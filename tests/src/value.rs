//! Messages that clauses send and know again, and what else several suites share.

use bytes::Bytes;
use futures::future::poll_immediate;
use micro_core::Message;

/// A message that is told from others by its number.
pub(crate) fn numbered(number: usize) -> Message {
    Message::new(number.to_string())
}

/// The number of a [`numbered`] message.
pub(crate) fn number(message: &Message) -> usize {
    std::str::from_utf8(&message.body)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("not a numbered message: {message:?}"))
}

/// A message without headers, of this many bytes that do not compress to nothing.
pub(crate) fn sized(bytes: usize) -> Message {
    // Copied, since tests without optimisations take seconds to count to the limits of some backends.
    let pattern: Vec<u8> = (0..251).collect();
    let mut body = pattern.repeat(bytes.div_ceil(pattern.len()));
    body.truncate(bytes);
    Message::new(body)
}

/// Messages that encodings get wrong, each with a name: no backend may change any of them.
pub(crate) fn delicate() -> Vec<(&'static str, Message)> {
    let every_byte = (0..=u8::MAX).collect::<Vec<_>>();
    let large = (0..64).fold(Message::new("x"), |message, index| {
        message.with_header(format!("Large-{index}"), "v".repeat(1024))
    });
    vec![
        ("empty", Message::default()),
        ("an empty body", Message::new("").with_header("Name", "value")),
        ("an empty value", Message::new("x").with_header("Name", "")),
        ("every byte", Message::new(every_byte)),
        ("zeros", Message::new(vec![0; 1000])),
        ("one byte", Message::new(Bytes::from_static(b"\xff"))),
        ("large headers", large),
        (
            "unicode",
            Message::new("čeština 日本語 🦀").with_header("Größe", "ｗｉｄｅ 🦀 \u{301}"),
        ),
        (
            "what JSON and HTML escape",
            Message::new("{}").with_header("Quote-\"", "<a href=\"\\\">&amp;\u{2028}"),
        ),
        (
            "names that differ by case",
            Message::new("x")
                .with_header("Micro-Id", "1")
                .with_header("micro-id", "2"),
        ),
    ]
}

/// Polls a future once and drops it, as a `select!` does with what lost.
pub(crate) async fn attempt<T>(future: impl Future<Output = T>) -> Option<T> {
    let outcome = poll_immediate(std::pin::pin!(future)).await;
    if outcome.is_none() {
        tokio::task::yield_now().await;
    }
    outcome
}
