//! Events from one publisher to one subscriber, as many as get through without loss.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{BoxStream, Stream, StreamExt};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::load::{Sample, Side, nanos};

/// The size of an event.
const SIZE: usize = 128;

/// Events are counted, timed and paid for by the chunk, so that the harness costs next to nothing.
const CHUNK: usize = 64;

/// How many chunks are on their way at once: fewer events than any queue on the way drops.
const AHEAD: usize = 8;

/// How long the last event of a round may take.
const STRAGGLER: Duration = Duration::from_secs(10);

/// A publisher and a subscriber.
pub(crate) struct Flow<P> {
    publish: P,
    /// Held by the round that is played.
    events: Arc<Mutex<BoxStream<'static, Result<Bytes>>>>,
}

impl<P, Fut> Flow<P>
where
    P: Fn(Bytes) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    /// What `publish` publishes comes out of `events`, in the same order.
    pub(crate) fn new(publish: P, events: impl Stream<Item = Result<Bytes>> + Send + 'static) -> Self {
        Flow {
            publish,
            events: Arc::new(Mutex::new(events.boxed())),
        }
    }

    async fn work(&self, window: Duration) -> Result<Sample> {
        let start = Instant::now();
        let ahead = Arc::new(Semaphore::new(AHEAD));
        let mut publisher = JoinSet::new();
        publisher.spawn(publish(self.publish.clone(), ahead.clone(), start, window));
        let mut subscriber = JoinSet::new();
        subscriber.spawn(receive(self.events.clone(), ahead, start));
        let done = timeout(window + STRAGGLER, subscriber.join_next()).await;
        let (count, spans) = done.context("an event was lost")?.context("no subscriber")???;
        let elapsed = start.elapsed();
        if let Some(sent) = publisher.join_next().await {
            let sent = sent??;
            ensure!(sent == count, "{sent} events were sent, and {count} came");
        }
        let sample = Sample::new(spans, elapsed)?;
        Ok(Sample { count, ..sample })
    }
}

impl<P, Fut> Side for Flow<P>
where
    P: Fn(Bytes) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    fn round(&self, window: Duration) -> BoxFuture<'_, Result<Sample>> {
        self.work(window).boxed()
    }
}

/// Publishes chunk after chunk; the first event of each carries the time, the last of all says that it is the last.
async fn publish<P, Fut>(publish: P, ahead: Arc<Semaphore>, start: Instant, window: Duration) -> Result<usize>
where
    P: Fn(Bytes) -> Fut,
    Fut: Future<Output = Result<()>>,
{
    let mut sent = 0;
    loop {
        ahead.acquire().await?.forget();
        let now = start.elapsed();
        publish(event(u64::try_from(now.as_nanos())?)).await?;
        for _ in 2..CHUNK {
            publish(event(0)).await?;
        }
        let last = now >= window;
        publish(event(u64::from(last))).await?;
        sent += CHUNK;
        if last {
            return Ok(sent);
        }
    }
}

async fn receive(
    events: Arc<Mutex<BoxStream<'static, Result<Bytes>>>>,
    ahead: Arc<Semaphore>,
    start: Instant,
) -> Result<(usize, Vec<u32>)> {
    let mut events = events.lock().await;
    let mut spans = Vec::new();
    loop {
        let sent = next(&mut events).await?;
        spans.push(nanos(start.elapsed().saturating_sub(Duration::from_nanos(sent))));
        for _ in 2..CHUNK {
            next(&mut events).await?;
        }
        if next(&mut events).await? == 1 {
            return Ok((spans.len() * CHUNK, spans));
        }
        ahead.add_permits(1);
    }
}

/// An event begins with a number.
fn event(number: u64) -> Bytes {
    let mut body = vec![b'.'; SIZE];
    body[..8].copy_from_slice(&number.to_be_bytes());
    body.into()
}

async fn next(events: &mut BoxStream<'static, Result<Bytes>>) -> Result<u64> {
    let body = events.next().await.context("the subscription has ended")??;
    ensure!(body.len() == SIZE, "an event of {} bytes came", body.len());
    let number = body.first_chunk().context("an event without a number")?;
    Ok(u64::from_be_bytes(*number))
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn every_event_that_was_sent_is_counted() {
        let (sender, mut receiver) = mpsc::channel(AHEAD * CHUNK);
        let publish = move |body| {
            let sent = sender.try_send(Ok(body));
            std::future::ready(sent.map_err(anyhow::Error::from))
        };
        let events = futures::stream::poll_fn(move |cx| receiver.poll_recv(cx));
        let flow = Flow::new(publish, events);
        for _ in 0..2 {
            let sample = flow.round(Duration::from_millis(2)).await.unwrap();
            assert!(sample.count >= CHUNK && sample.count % CHUNK == 0, "{sample:?}");
        }
    }

    #[tokio::test]
    async fn an_end_of_the_events_ends_the_round() {
        let flow = Flow::new(|_| std::future::ready(Ok(())), futures::stream::empty());
        assert!(flow.round(Duration::from_millis(2)).await.is_err());
    }
}
