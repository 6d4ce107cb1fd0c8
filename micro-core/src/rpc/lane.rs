//! A bounded queue of what the messages of a stream carried, from the task of a socket to whoever reads the stream.
//!
//! A peer that counts on credit is held to it, and a word about what has been read raises it: so the socket is always
//! read, and words of both ends pass on it. With any other peer the writer of the queue waits for room, and the socket
//! with it.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use futures::Stream;
use parking_lot::Mutex;
use tokio::task::coop::poll_proceed;

use crate::rpc::Status;
use crate::rpc::account::Account;
use crate::rpc::credit::Amount;
use crate::rpc::items::Chunk;

#[cfg(test)]
mod tests;

/// A queue in which so many items may wait. What one message carried comes together, so that without credit the last
/// message may exceed it.
pub(crate) fn lane(items: usize, by_credit: bool) -> (LaneSender, Lane) {
    let shared = Arc::new(Mutex::new(State {
        queue: VecDeque::new(),
        ended: None,
        account: Account::new(items),
        by_credit,
        reader: None,
        writer: None,
        teller: None,
        left: false,
    }));
    (LaneSender(shared.clone()), Lane(shared))
}

struct State {
    queue: VecDeque<Chunk>,
    /// Nothing more comes but this.
    ended: Option<Option<Status>>,
    account: Account,
    by_credit: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// Who tells the peer what it may send.
    teller: Option<Waker>,
    /// Nobody reads any more.
    left: bool,
}

impl State {
    /// Takes it, or gives it back when it has to wait for room.
    fn put(&mut self, chunk: Chunk) -> Result<Sent, Chunk> {
        let amount = chunk.amount();
        if self.left {
            return Ok(Sent::Unread);
        }
        if self.by_credit && !self.account.allows(amount) {
            return Ok(Sent::TooMuch);
        }
        if !self.by_credit && !self.account.has_room() {
            return Err(chunk);
        }
        self.account.come(amount);
        self.queue.push_back(chunk);
        Ok(Sent::Well)
    }

    fn end(&mut self, with: Option<Status>) -> Option<Waker> {
        self.ended.get_or_insert(with);
        self.reader.take()
    }
}

/// What a peer is told that sends more than it was allowed.
pub(crate) const TOO_MUCH: &str = "more of the stream came than was allowed";

/// What became of what was sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Well,
    /// It is more than the peer was allowed to send.
    TooMuch,
    /// Nobody reads any more.
    Unread,
}

/// The end that writes. Dropping it ends the queue, after what was sent before.
pub(crate) struct LaneSender(Arc<Mutex<State>>);

impl LaneSender {
    /// Waits for room, where there is no credit.
    ///
    /// # Cancel safety
    /// It is sent, or it is not.
    pub(crate) async fn send(&self, chunk: Chunk) -> Sent {
        let mut chunk = Some(chunk);
        let (sent, reader) = std::future::poll_fn(|cx| self.poll_send(&mut chunk, cx)).await;
        wake(reader);
        sent
    }

    fn poll_send(&self, chunk: &mut Option<Chunk>, cx: &mut Context<'_>) -> Poll<(Sent, Option<Waker>)> {
        // A writer whom its reader never lets wait must give way to others all the same.
        let progress = ready!(poll_proceed(cx));
        let mut state = self.0.lock();
        match chunk.take().map(|chunk| state.put(chunk)) {
            Some(Err(back)) => {
                *chunk = Some(back);
                state.writer = Some(cx.waker().clone());
                Poll::Pending
            }
            Some(Ok(sent)) => {
                progress.made_progress();
                Poll::Ready((sent, state.reader.take()))
            }
            None => Poll::Ready((Sent::Unread, None)),
        }
    }

    /// Sends without waiting, or gives back what there is no room for. For those who give way to others by themselves.
    pub(crate) fn try_send(&self, chunk: Chunk) -> Result<Sent, Chunk> {
        let mut state = self.0.lock();
        let sent = state.put(chunk)?;
        let reader = state.reader.take();
        drop(state);
        wake(reader);
        Ok(sent)
    }

    /// Ends the queue with that, after what was sent before.
    pub(crate) fn fail(self, status: Status) {
        let reader = self.0.lock().end(Some(status));
        wake(reader);
    }

    /// Where to learn what the peer may send.
    pub(crate) fn teller(&self) -> Teller {
        Teller(self.0.clone())
    }
}

impl Drop for LaneSender {
    fn drop(&mut self) {
        // What was cut off by a panic is not to look like a stream that ended well.
        let broken = std::thread::panicking().then(|| Status::internal("whoever drove the stream panicked"));
        let reader = self.0.lock().end(broken);
        wake(reader);
    }
}

/// Knows what is to be told to a peer that counts on credit.
pub(crate) struct Teller(Arc<Mutex<State>>);

impl Teller {
    /// Waits until the peer is to be told that it may send so much in all; for ever when it is to be told nothing more. For
    /// one task.
    ///
    /// # Cancel safety
    /// Safe: what was returned is to be told.
    pub(crate) async fn due(&self) -> Amount {
        std::future::poll_fn(|cx| {
            let mut state = self.0.lock();
            if let Some(amount) = self.take(&mut state) {
                return Poll::Ready(amount);
            }
            state.teller = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// What the peer is to be told now.
    pub(crate) fn take_due(&self) -> Option<Amount> {
        self.take(&mut self.0.lock())
    }

    fn take(&self, state: &mut State) -> Option<Amount> {
        match state.by_credit && !state.left && state.ended.is_none() {
            true => state.account.allow(),
            false => None,
        }
    }
}

/// The end that reads. What is left unread when it is dropped is gone.
pub(crate) struct Lane(Arc<Mutex<State>>);

impl Stream for Lane {
    type Item = Result<Chunk, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let progress = ready!(poll_proceed(cx));
        let mut state = self.0.lock();
        let Some(chunk) = state.queue.pop_front() else {
            if let Some(end) = &mut state.ended {
                return Poll::Ready(end.take().map(Err));
            }
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        };
        state.account.read(chunk.amount());
        let waiting = match state.by_credit {
            true if state.account.is_due() => state.teller.take(),
            false if state.account.has_room() => state.writer.take(),
            _ => None,
        };
        drop(state);
        wake(waiting);
        progress.made_progress();
        Poll::Ready(Some(Ok(chunk)))
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        let (writer, unread) = {
            let mut state = self.0.lock();
            state.left = true;
            (state.writer.take(), std::mem::take(&mut state.queue))
        };
        wake(writer);
        drop(unread);
    }
}

fn wake(waiting: Option<Waker>) {
    if let Some(waker) = waiting {
        waker.wake();
    }
}
