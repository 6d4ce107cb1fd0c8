//! Set-ups whose thread does not sleep while a call is on its way: busy polling, which whoever has a core to spare chooses.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use futures::future::{BoxFuture, FutureExt};
use tokio::task::{self, JoinSet};

use crate::load::{Sample, Side};

tokio::task_local! {
    static BUSY_POLL: Duration;
}

/// What one would choose for servers that are near.
const USUAL: Duration = Duration::from_micros(50);

/// Sets something up that polls.
pub(crate) async fn polling<T>(setting_up: impl Future<Output = T>) -> T {
    BUSY_POLL.scope(USUAL, setting_up).await
}

/// How often it looks before it offers its processor to others.
const LOOKS: usize = 8;

/// For how long after traffic what is set up here does not sleep, if it is to poll at all.
pub(crate) fn busy_poll() -> Option<Duration> {
    BUSY_POLL.try_with(|longest| *longest).ok()
}

/// A side with no such option, beside which a task keeps the thread from sleeping: what one would write by hand.
pub(crate) struct Awake(pub(crate) Arc<dyn Side>);

impl Side for Awake {
    fn round(&self, window: Duration) -> BoxFuture<'_, Result<Sample>> {
        async move {
            let mut awake = JoinSet::new();
            awake.spawn(stay_awake());
            self.0.round(window).await
        }
        .boxed()
    }
}

/// As `nats-common` does it, and for the same reasons.
async fn stay_awake() {
    loop {
        thread::yield_now();
        for _ in 0..LOOKS {
            task::yield_now().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Callers;

    #[tokio::test]
    async fn a_side_that_is_kept_awake_does_the_same_and_nobody_is_left_awake() {
        let side = Awake(Arc::new(Callers::new(2, async |_| Ok(()))));
        let sample = side.round(Duration::from_millis(1)).await.unwrap();
        assert!(sample.count >= 2, "{sample:?}");
        while tokio::runtime::Handle::current().metrics().num_alive_tasks() > 0 {
            task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn only_what_is_set_up_so_polls() {
        assert_eq!(polling(async { busy_poll() }).await, Some(USUAL));
        assert_eq!(busy_poll(), None);
    }
}
