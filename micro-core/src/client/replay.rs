//! The messages of a caller's stream, which can be sent again from the start while nobody has heard them.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::StreamExt;
use parking_lot::Mutex;

use crate::rpc::items::{Chunk, Items};
use crate::rpc::pack::Pack;
use crate::rpc::{BodyStream, Source, Status};

/// How many messages are kept for another attempt. A node that is gone is noticed within a round trip, so a stream
/// that has sent more than this has most likely been heard.
const KEPT: usize = 64;

/// A stream of messages with a memory.
#[derive(Clone)]
pub(crate) struct Replay(Arc<Mutex<Messages>>);

struct Messages {
    /// `None` when it has ended: whoever asked it again might be answered with a panic.
    rest: Option<BodyStream>,
    /// The first messages; `None` once there were too many to keep.
    kept: Option<VecDeque<Bytes>>,
}

impl Replay {
    pub(crate) fn new(messages: BodyStream) -> Self {
        Replay(Arc::new(Mutex::new(Messages {
            rest: Some(messages),
            kept: Some(VecDeque::new()),
        })))
    }

    /// All messages from the start; `None` when the first ones are gone. A later reader takes over from an earlier.
    pub(crate) fn read(&self) -> Option<BodyStream> {
        self.0.lock().kept.as_ref()?;
        Some(BodyStream::of(Reader {
            source: self.0.clone(),
            next: 0,
        }))
    }
}

struct Reader {
    source: Arc<Mutex<Messages>>,
    next: usize,
}

impl Source for Reader {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Chunk, Status>>> {
        let source = self.source.clone();
        let mut source = source.lock();
        if let Some(known) = source.kept.as_ref().and_then(|kept| kept.get(self.next)) {
            self.next += 1;
            return Poll::Ready(Some(Ok(Chunk::One(known.clone()))));
        }
        let Some(rest) = &mut source.rest else {
            return Poll::Ready(None);
        };
        let polled = rest.poll_next_unpin(cx);
        match &polled {
            Poll::Ready(Some(Ok(body))) => {
                source.keep(body);
                self.next += 1;
            }
            // What ended with an error is not to look like one that ended well.
            Poll::Ready(Some(Err(_))) => source.kept = None,
            Poll::Ready(None) => source.rest = None,
            Poll::Pending => {}
        }
        polled.map_ok(Chunk::One)
    }

    /// What is kept goes through here one by one, and all the rest as it is.
    fn poll_fill(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pack: &mut Pack,
    ) -> Poll<Option<Result<Items, Status>>> {
        let source = self.source.clone();
        let mut source = source.lock();
        if source.kept.is_none() {
            return source.poll_rest(cx, pack);
        }
        drop(source);
        self.as_mut().poll_chunk(cx).map_ok(|chunk| {
            chunk.into_first().into_iter().for_each(|item| pack.push(item));
            Items::default()
        })
    }
}

impl Messages {
    fn poll_rest(&mut self, cx: &mut Context<'_>, pack: &mut Pack) -> Poll<Option<Result<Items, Status>>> {
        let Some(rest) = &mut self.rest else {
            return Poll::Ready(None);
        };
        let filled = rest.poll_fill(cx, pack);
        if let Poll::Ready(None) = &filled {
            self.rest = None;
        }
        filled.map_ok(|()| Items::default())
    }

    fn keep(&mut self, body: &Bytes) {
        match &mut self.kept {
            Some(kept) if kept.len() < KEPT => kept.push_back(body.clone()),
            kept => *kept = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: u8) -> Replay {
        Replay::new(BodyStream::new(futures::stream::iter(
            (0..count).map(|n| Ok(Bytes::from(vec![n]))),
        )))
    }

    #[tokio::test]
    async fn a_second_reader_gets_everything_again() {
        let replay = numbers(5);
        assert_eq!(replay.read().unwrap().take(3).count().await, 3);
        let again: Vec<_> = replay
            .read()
            .unwrap()
            .map(|body| body.unwrap()[0])
            .collect()
            .await;
        assert_eq!(again, [0, 1, 2, 3, 4]);
    }

    #[tokio::test]
    async fn what_has_ended_is_not_asked_again() {
        let once = futures::stream::unfold(0, async |n| (n < 3).then(|| (Ok(Bytes::from(vec![n])), n + 1)));
        let replay = Replay::new(BodyStream::new(once));
        for _ in 0..2 {
            let mut reader = replay.read().unwrap();
            assert_eq!(reader.by_ref().count().await, 3);
            assert!(reader.next().await.is_none());
        }
    }

    #[tokio::test]
    async fn what_has_failed_does_not_end_well_when_it_is_read_again() {
        let items = [Ok(Bytes::new()), Err(Status::internal("half of it"))];
        let replay = Replay::new(BodyStream::new(futures::stream::iter(items)));
        assert_eq!(replay.read().unwrap().count().await, 2);
        assert!(replay.read().is_none());
    }

    #[tokio::test]
    async fn what_is_no_longer_kept_is_not_half_told() {
        let replay = numbers(200);
        assert_eq!(replay.read().unwrap().take(KEPT + 1).count().await, KEPT + 1);
        assert!(replay.read().is_none());
    }
}
