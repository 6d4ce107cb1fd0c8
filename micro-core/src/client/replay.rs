//! The messages of a caller's stream, which can be sent again from the start while nobody has heard them.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use parking_lot::Mutex;

use crate::rpc::{BodyStream, Status};

/// How many messages are kept for another attempt. A node that is gone is noticed within a round trip, so a stream
/// that has sent more than this has most likely been heard.
const KEPT: usize = 64;

/// A stream of messages with a memory.
#[derive(Clone)]
pub(crate) struct Replay(Arc<Mutex<Source>>);

struct Source {
    rest: BodyStream,
    /// The first messages; `None` once there were too many to keep.
    kept: Option<VecDeque<Bytes>>,
}

impl Replay {
    pub(crate) fn new(messages: BodyStream) -> Self {
        Replay(Arc::new(Mutex::new(Source {
            rest: messages,
            kept: Some(VecDeque::new()),
        })))
    }

    /// All messages from the start; `None` when the first ones are gone. A later reader takes over from an earlier.
    pub(crate) fn read(&self) -> Option<BodyStream> {
        self.0.lock().kept.as_ref()?;
        Some(BodyStream::new(Reader {
            source: self.0.clone(),
            next: 0,
        }))
    }
}

struct Reader {
    source: Arc<Mutex<Source>>,
    next: usize,
}

impl Stream for Reader {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let source = self.source.clone();
        let mut source = source.lock();
        if let Some(known) = source.kept.as_ref().and_then(|kept| kept.get(self.next)) {
            self.next += 1;
            return Poll::Ready(Some(Ok(known.clone())));
        }
        let polled = source.rest.poll_next_unpin(cx);
        if let Poll::Ready(Some(Ok(body))) = &polled {
            source.keep(body);
            self.next += 1;
        }
        polled
    }
}

impl Source {
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
    async fn what_is_no_longer_kept_is_not_half_told() {
        let replay = numbers(200);
        assert_eq!(replay.read().unwrap().take(KEPT + 1).count().await, KEPT + 1);
        assert!(replay.read().is_none());
    }
}
