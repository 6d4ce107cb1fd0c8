//! The messages of a caller's stream, which can be sent again from the start while nobody has heard them.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::StreamExt;
use parking_lot::Mutex;

use crate::rpc::credit::{Amount, INITIAL};
use crate::rpc::items::{Chunk, Items};
use crate::rpc::pack::Pack;
use crate::rpc::{BodyStream, Source, Status};

/// A stream of messages with a memory.
#[derive(Clone)]
pub(crate) struct Replay(Arc<Mutex<Messages>>);

struct Messages {
    /// `None` when it has ended: whoever asked it again might be answered with a panic.
    rest: Option<BodyStream>,
    /// The first messages; `None` once there were too many to keep, or they were heard and read again.
    kept: Option<Kept>,
    /// Somebody has heard them, so that nobody gets them again.
    heard: bool,
}

/// As much as may be sent before a word of the peer, which would be that it heard.
#[derive(Default)]
struct Kept {
    messages: Vec<Bytes>,
    amount: Amount,
}

impl Replay {
    pub(crate) fn new(messages: BodyStream) -> Self {
        Replay(Arc::new(Mutex::new(Messages {
            rest: Some(messages),
            kept: Some(Kept::default()),
            heard: false,
        })))
    }

    /// Somebody has heard them: nobody is to get them again.
    pub(crate) fn forget(&self) {
        self.0.lock().heard = true;
    }

    /// All messages from the start; `None` when the first ones are gone. A later reader takes over from an earlier.
    pub(crate) fn read(&self) -> Option<BodyStream> {
        let source = self.0.lock();
        source.kept.as_ref().filter(|_| !source.heard)?;
        drop(source);
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
        if let Some(known) = source.known(self.next) {
            self.next += 1;
            return Poll::Ready(Some(Ok(Chunk::One(known))));
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

    /// One of those that are kept; the last reader of what was heard forgets it.
    fn known(&mut self, at: usize) -> Option<Bytes> {
        let known = self.kept.as_ref()?.messages.get(at).cloned();
        if known.is_none() && self.heard {
            self.kept = None;
        }
        known
    }

    fn keep(&mut self, body: &Bytes) {
        match &mut self.kept {
            Some(kept) if !self.heard && kept.has_room() => kept.push(body.clone()),
            kept => *kept = None,
        }
    }
}

impl Kept {
    fn has_room(&self) -> bool {
        self.amount.items < INITIAL.items && self.amount.bytes < INITIAL.bytes
    }

    fn push(&mut self, message: Bytes) {
        self.amount = self.amount.plus(Chunk::One(message.clone()).amount());
        self.messages.push(message);
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

    fn messages(count: usize, bytes: usize) -> Replay {
        let message = Bytes::from(vec![0; bytes]);
        Replay::new(BodyStream::new(futures::stream::iter(std::iter::repeat_n(
            Ok(message),
            count,
        ))))
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
        let kept = usize::try_from(INITIAL.items).unwrap();
        let replay = messages(kept + 2, 1);
        assert_eq!(replay.read().unwrap().take(kept).count().await, kept);
        assert_eq!(replay.read().unwrap().take(kept + 1).count().await, kept + 1);
        assert!(replay.read().is_none());
    }

    #[tokio::test]
    async fn no_more_bytes_are_kept_than_are_sent_unheard() {
        let replay = messages(10, 40 << 10);
        assert_eq!(replay.read().unwrap().take(2).count().await, 2);
        assert_eq!(replay.read().unwrap().take(3).count().await, 3);
        assert!(replay.read().is_none());
    }

    #[tokio::test]
    async fn what_was_heard_is_read_to_its_end_and_forgotten() {
        let replay = messages(5, 1);
        assert_eq!(replay.read().unwrap().take(4).count().await, 4);
        let again = replay.read().unwrap();
        replay.forget();
        assert_eq!(again.count().await, 5);
        assert!(replay.read().is_none() && replay.0.lock().kept.is_none());
    }
}
