//! Long streams of small items, one stream at a time.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::{BoxFuture, FutureExt};
use tokio::task::JoinSet;

use crate::load::{Sample, Side};

/// How many items one stream has in a round of a second or more; of less in proportion, so that trials stay short.
const ITEMS: f64 = 1_000_000.0;

/// A reader of streams.
pub(crate) struct Items<F> {
    read: F,
}

impl<F, Fut> Items<F>
where
    F: Fn(u64) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    /// `read` opens a stream of so many items, reads it to its end, and checks that nothing is missing.
    pub(crate) fn new(read: F) -> Self {
        Items { read }
    }

    async fn work(&self, window: Duration) -> Result<Sample> {
        let count = items(window);
        let start = Instant::now();
        let mut reader = JoinSet::new();
        reader.spawn((self.read)(count as u64));
        while let Some(done) = reader.join_next().await {
            done??;
        }
        Ok(Sample {
            count,
            elapsed: start.elapsed(),
            // Items that wait in queues say how long the queues are, and nothing of either side.
            p50: None,
        })
    }
}

fn items(window: Duration) -> usize {
    (ITEMS * window.as_secs_f64().min(1.0)) as usize
}

impl<F, Fut> Side for Items<F>
where
    F: Fn(u64) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    fn round(&self, window: Duration) -> BoxFuture<'_, Result<Sample>> {
        self.work(window).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_round_is_a_million() {
        assert_eq!(items(Duration::from_secs(1)), 1_000_000);
        assert_eq!(items(Duration::from_secs(9)), 1_000_000);
        assert_eq!(items(Duration::from_millis(250)), 250_000);
    }

    #[tokio::test]
    async fn an_item_that_is_missing_ends_the_round() {
        let items = Items::new(|_| async { anyhow::bail!("one is missing") });
        assert!(items.round(Duration::from_millis(1)).await.is_err());
    }
}
