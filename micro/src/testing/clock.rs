//! Whether time passes.

use std::time::Duration;

use tokio::time::Instant;

/// Fails a test that pauses the clock and talks to a server that does not.
#[allow(clippy::panic, reason = "a mistake in a test fails it")]
pub(super) fn must_run() {
    let before = Instant::now();
    // Long enough for any clock to show it; a paused one stands still while nothing is awaited.
    std::thread::sleep(Duration::from_millis(1));
    if Instant::now() == before {
        panic!(
            "the clock is paused, and a nats-server does not wait for it: every limit would pass at once. Pause the \
             clock in memory alone"
        );
    }
}
