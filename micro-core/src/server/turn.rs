//! For how long the task of a socket goes on.

use std::task::{Context, Poll};

use futures::{Stream, StreamExt};

use crate::error::Result;
use crate::message::Message;
use crate::server::outbox::BATCH;
use crate::transport::SocketReceiver;

/// However many came together: were a backend to count what comes later, too, nobody else would get a turn.
const MOST: usize = 4096;

/// Many calls often come at once. Handlers that are done at once run one after the other in the task of their socket; were
/// it to go on to the last, the first answers would wait for it: whoever writes for the backend is a task, too.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// How many messages were taken in a row.
    taken: usize,
}

impl Turn {
    /// Takes the next message. After as many as are [answered together](BATCH), and what came together with them up to
    /// [`MOST`], there is none until other tasks have run.
    pub(super) fn poll_next(
        &mut self,
        receiver: &mut SocketReceiver,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Message>>> {
        // What came together was made together: to cut it up would double what both ends do for a batch.
        if self.taken >= BATCH && (self.taken >= MOST || receiver.size_hint().0 == 0) {
            self.taken = 0;
            // Behind those that were woken by now.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let next = receiver.poll_next_unpin(cx);
        self.taken = if next.is_ready() { self.taken + 1 } else { 0 };
        next
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use futures::SinkExt;
    use tokio::time::Instant;

    use super::*;
    use crate::memory::MemoryTransport;
    use crate::rpc::frame::{self, Dialect};
    use crate::rpc::{self, Request};
    use crate::{DialOptions, ListenOptions, Router, Server, ServerOptions, Transport};

    /// As many as a socket takes at once: four turns.
    const CALLS: u64 = 4 * BATCH as u64;

    #[tokio::test]
    async fn the_first_answers_leave_before_the_last_calls_are_handled() {
        let handled = Arc::new(AtomicUsize::new(0));
        let counted = handled.clone();
        let echo = move |_: rpc::Context, body: Bytes| {
            counted.fetch_add(1, Ordering::Relaxed);
            async { Ok(body) }
        };
        let transport = MemoryTransport::new();
        let listener = transport.listen(ListenOptions::default()).await.unwrap();
        let router = Router::new().unary("Test.Echo", echo);
        let server = Server::serve(listener, router, ServerOptions::default());
        let dialled = transport.dial(server.address(), DialOptions::default());
        let (mut sender, mut receiver) = dialled.await.unwrap().split();
        for id in 0..CALLS {
            let request = Request::new("test", "Test.Echo", Bytes::new());
            let message = frame::request(&request, id, Dialect::Ours, Bytes::new(), Instant::now());
            sender.feed(message.unwrap()).await.unwrap();
        }
        assert_eq!(handled.load(Ordering::Relaxed), 0);
        SinkExt::flush(&mut sender).await.unwrap();
        // In a task, since those take turns.
        let answers = tokio::spawn(async move {
            for answered in 0..CALLS as usize {
                receiver.recv().await.unwrap().unwrap();
                let ahead = handled.load(Ordering::Relaxed) - answered;
                assert!(ahead <= 2 * BATCH, "{ahead} were handled and not answered");
            }
        });
        answers.await.unwrap();
    }
}
