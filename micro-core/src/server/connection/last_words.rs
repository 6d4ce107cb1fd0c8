//! How long a socket stays for its last answers.

use std::time::Duration;

/// How long a peer may take to read its last answers.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Waits for the last words of a socket. Boxed by those who do, so that no socket has room for it all its life.
pub(super) async fn in_time(words: impl Future) {
    if tokio::time::timeout(LAST_WORDS, words).await.is_err() {
        tracing::debug!("a peer did not read its last answers");
    }
}
