//! Where the answers of one socket wait for its writer.

use std::task::{Context, Poll};

use tokio::sync::mpsc;

use super::Answer;

/// How many answers wait for the writer before handlers wait for it.
const CAPACITY: usize = 256;

/// A handle of the queue, for whoever answers.
///
/// A queue has room for 32 at once, so that they are boxed: most are never full.
pub(in crate::server) type Outbox = mpsc::Sender<Box<Answer>>;

/// Where answers wait. Handlers that are done at once need none, so it is made when one is not.
pub(super) enum Queue {
    Unused,
    /// With a handle, so that it lasts as long as calls may come.
    Used(mpsc::Receiver<Box<Answer>>, Option<Outbox>),
    /// No calls come, and none was ever put here.
    Over,
}

impl Queue {
    /// A handle of it.
    pub(super) fn outbox(&mut self) -> Outbox {
        if let Queue::Used(_, Some(outbox)) = self {
            return outbox.clone();
        }
        let (outbox, queue) = mpsc::channel(CAPACITY);
        if let Queue::Unused = self {
            *self = Queue::Used(queue, Some(outbox.clone()));
        }
        // Otherwise no more calls come, and it is closed.
        outbox
    }

    /// Notes that no more calls come: it ends with the last handle.
    pub(super) fn finish(&mut self) {
        match self {
            Queue::Used(_, outbox) => *outbox = None,
            _ => *self = Queue::Over,
        }
    }

    /// The next answer; `None` at the end. Whoever asks does so again after each change by the other methods.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Box<Answer>>> {
        match self {
            Queue::Unused => Poll::Pending,
            Queue::Used(queue, _) => queue.poll_recv(cx),
            Queue::Over => Poll::Ready(None),
        }
    }
}
