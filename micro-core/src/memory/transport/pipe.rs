//! One direction of a socket: a bounded queue of messages, and what becomes of it when an end leaves.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::future::BoxFuture;
use parking_lot::Mutex;

use crate::message::Message;
use crate::transport::CloseSignal;

/// How many messages wait in one direction before their writer waits. Those that the reader took together and has not
/// handed on yet, as many at most, are not counted.
const QUEUE: usize = 128;

/// For how many messages an idle queue keeps room.
const KEPT: usize = 16;

/// One direction. Both ends share it.
#[derive(Clone, Default)]
pub(super) struct Pipe(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Set when nobody writes or nobody reads any more.
    closed: CloseSignal,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Message>,
    /// Waits for a message.
    reader: Option<Waker>,
    /// Waits for room.
    writer: Option<Waker>,
    /// The writer sends no more.
    finished: bool,
    /// The reader has left, and how many messages it has not read.
    unread: Option<u64>,
}

impl Pipe {
    /// Waits until there is room for a message, and says for how many; `None` when nobody reads any more. While
    /// somebody reads, it does not shrink but by what is [pushed](Pipe::push).
    pub(super) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<Option<usize>> {
        let mut state = self.0.state.lock();
        if state.unread.is_some() {
            return Poll::Ready(None);
        }
        if state.queue.len() < QUEUE {
            return Poll::Ready(Some(QUEUE - state.queue.len()));
        }
        state.writer = Some(cx.waker().clone());
        // What was not flushed yet would otherwise wait for room, too.
        let reader = state.reader.take();
        drop(state);
        wake(reader);
        Poll::Pending
    }

    /// Adds a message, of which the reader is not told before a [`flush`](Pipe::flush); false when nobody reads any more.
    pub(super) fn push(&self, message: Message) -> bool {
        let mut state = self.0.state.lock();
        let read = state.unread.is_none();
        if read {
            state.queue.push_back(message);
        }
        read
    }

    /// Tells the reader what there is.
    pub(super) fn flush(&self) {
        let reader = {
            let mut state = self.0.state.lock();
            match state.queue.is_empty() {
                true => None,
                false => state.reader.take(),
            }
        };
        wake(reader);
    }

    /// Sends no more.
    pub(super) fn finish(&self) {
        let reader = {
            let mut state = self.0.state.lock();
            state.finished = true;
            state.reader.take()
        };
        wake(reader);
        self.0.closed.set();
    }

    /// Waits until there are messages, and exchanges all of them for an empty queue; false when no more will come.
    pub(super) fn poll_take(&self, into: &mut VecDeque<Message>, cx: &mut Context<'_>) -> Poll<bool> {
        let mut state = self.0.state.lock();
        if state.queue.is_empty() {
            if state.finished {
                return Poll::Ready(false);
            }
            state.reader = Some(cx.waker().clone());
            state.queue.shrink_to(KEPT);
            into.shrink_to(KEPT);
            return Poll::Pending;
        }
        std::mem::swap(&mut state.queue, into);
        let writer = state.writer.take();
        drop(state);
        wake(writer);
        Poll::Ready(true)
    }

    /// Reads no more: what is queued, and those `taken` that were not handed on, nobody will ever read.
    pub(super) fn leave(&self, taken: usize) {
        let mut state = self.0.state.lock();
        let queue = std::mem::take(&mut state.queue);
        state.unread = Some((queue.len() + taken) as u64);
        let writer = state.writer.take();
        drop(state);
        wake(writer);
        self.0.closed.set();
    }

    /// Waits until nobody reads any more, or nobody writes.
    pub(super) fn closed(&self) -> BoxFuture<'static, ()> {
        self.0.closed.wait()
    }

    /// How many messages nobody will ever read: none for sure while there is a reader.
    pub(super) fn unread(&self) -> u64 {
        self.0.state.lock().unread.unwrap_or_default()
    }
}

fn wake(waiting: Option<Waker>) {
    if let Some(waker) = waiting {
        waker.wake();
    }
}
