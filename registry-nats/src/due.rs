//! Waiting for a moment that may move.

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Waits until the moment that `wake` tells. `changed` is notified when that may have become earlier; nobody else
/// waits for it.
///
/// # Cancel safety
/// Nothing is lost when the future is dropped.
pub(crate) async fn until_due(changed: &Notify, wake: impl Fn() -> Option<Instant>) {
    loop {
        match wake() {
            None => changed.notified().await,
            Some(moment) => tokio::select! {
                () = changed.notified() => {}
                () = sleep_until(moment) => return,
            },
        }
    }
}
