use std::pin::Pin;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use tokio::task::unconstrained;

use super::*;
use crate::client::calling::Calling;
use crate::memory::MemoryTransport;
use crate::message::Headers;
use crate::rpc::frame::{self, FromCaller};
use crate::rpc::{self, Request};
use crate::{DialOptions, ListenOptions, Transport};

/// How often a task was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Woken {
    fn times(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A line whose driver is at rest, and the other end of its socket.
struct Stage {
    line: Arc<Line>,
    peer: Socket,
    driver: Arc<Woken>,
    caller: Arc<Woken>,
}

impl Stage {
    async fn new() -> Self {
        Self::for_calls(8).await
    }

    /// For so many calls at a time.
    async fn for_calls(limit: usize) -> Self {
        let transport = MemoryTransport::new();
        let mut listener = transport.listen(ListenOptions::default()).await.unwrap();
        let dialled = transport.dial(listener.address(), DialOptions::default());
        let stage = Stage {
            line: Line::new(dialled.await.unwrap(), Dialect::Ours, limit),
            peer: listener.accept().await.unwrap(),
            driver: Arc::default(),
            caller: Arc::default(),
        };
        assert!(stage.poll_driver().is_pending());
        stage
    }

    /// Lets the driver do all that it can.
    fn poll_driver(&self) -> Poll<End> {
        let waker = Waker::from(self.driver.clone());
        let driver = &Context::from_waker(&waker);
        loop {
            match self.line.poll_work(driver) {
                Poll::Ready(Some(end)) => return Poll::Ready(end),
                Poll::Ready(None) => {
                    if let Poll::Ready(Some(end)) = self.line.poll_write(driver) {
                        return Poll::Ready(end);
                    }
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn poll(&self, call: &mut Pin<Box<Calling<'_>>>) -> Poll<Result<Response, Status>> {
        let caller = Waker::from(self.caller.clone());
        call.as_mut().poll(&mut Context::from_waker(&caller))
    }

    /// The peer answers the next call.
    async fn answer(&mut self) {
        let FromCaller::Call(call) = frame::from_caller(self.peer.recv().await.unwrap().unwrap()) else {
            panic!("not a call");
        };
        let answer = call
            .reply
            .answer("application/json".into(), Headers::new(), Bytes::new());
        self.peer.send(answer.unwrap()).await.unwrap();
    }

    /// How often the caller was woken, and the driver.
    fn woken(&self) -> (usize, usize) {
        (self.caller.times(), self.driver.times())
    }
}

static ENDLESS: LazyLock<rpc::Context> = LazyLock::new(rpc::Context::new);

/// A call that was not begun.
fn call(line: &Line) -> Pin<Box<Calling<'_>>> {
    let id = line.table.next_id();
    let request = Request::new("test", "Test.Echo", Bytes::new());
    let message = frame::request(&request, id, Dialect::Ours, Bytes::new(), Instant::now()).unwrap();
    Box::pin(Calling::new(line, id, message, &ENDLESS))
}

#[tokio::test]
async fn a_call_that_is_alone_wakes_its_caller_only() {
    let mut stage = Stage::new().await;
    let line = stage.line.clone();
    for _ in 0..3 {
        let mut call = call(&line);
        assert!(stage.poll(&mut call).is_pending());
        stage.answer().await;
        assert_eq!(stage.woken(), (1, 0));
        assert!(stage.poll(&mut call).is_ready());
        assert_eq!(stage.woken(), (0, 0));
    }
}

#[tokio::test]
async fn a_caller_that_is_not_polled_holds_up_no_other() {
    let mut stage = Stage::new().await;
    let line = stage.line.clone();
    let (mut idle, mut other) = (call(&line), call(&line));
    assert!(stage.poll(&mut idle).is_pending());
    assert!(stage.poll(&mut other).is_pending());
    assert_eq!(stage.woken(), (0, 1));
    assert!(stage.poll_driver().is_pending());
    stage.answer().await;
    stage.answer().await;
    assert_eq!(stage.woken(), (0, 1));
    assert!(stage.poll_driver().is_pending());
    assert!(stage.poll(&mut other).is_ready() && stage.poll(&mut idle).is_ready());
}

#[tokio::test]
async fn a_caller_that_leaves_leaves_the_socket_to_the_driver() {
    let mut stage = Stage::new().await;
    let line = stage.line.clone();
    let mut call = call(&line);
    assert!(stage.poll(&mut call).is_pending());
    drop(call);
    assert_eq!(stage.woken(), (0, 1));
    assert!(stage.poll_driver().is_pending());
    stage.answer().await;
    assert_eq!(stage.woken(), (0, 1));
}

#[tokio::test]
async fn a_call_that_expires_leaves_the_socket_to_the_driver() {
    let mut stage = Stage::new().await;
    let line = stage.line.clone();
    let soon = rpc::Context::new().with_timeout(Duration::from_secs(1));
    let mut first = Box::pin(Calling::new(
        &line,
        line.table.next_id(),
        Message::default(),
        &soon,
    ));
    assert!(stage.poll(&mut first).is_pending());
    assert_eq!(stage.woken(), (0, 1), "the driver looks at the clock");
    assert!(stage.poll_driver().is_pending());
    assert!(stage.poll(&mut first).is_pending(), "its caller reads again");
    line.table.expire(Instant::now() + Duration::from_secs(2));
    assert_eq!(stage.woken(), (1, 0));
    assert!(stage.poll(&mut first).is_ready());
    assert_eq!(stage.woken(), (0, 1));
    assert!(stage.poll_driver().is_pending());
    stage.peer.send(Message::default()).await.unwrap();
    assert_eq!(stage.woken(), (0, 1));
}

#[tokio::test]
async fn an_end_that_a_caller_meets_is_told_to_the_driver() {
    let mut stage = Stage::new().await;
    let line = stage.line.clone();
    let mut call = call(&line);
    assert!(stage.poll(&mut call).is_pending());
    stage.answer().await;
    let nobodys = Stage::new().await.peer;
    drop(std::mem::replace(&mut stage.peer, nobodys));
    assert!(stage.poll(&mut call).is_ready(), "what came before the end");
    assert_eq!(stage.driver.times(), 1);
    assert!(matches!(stage.poll_driver(), Poll::Ready(End::Read(_))));
}

/// How many requests have come to the peer.
fn come(peer: &mut Socket) -> usize {
    std::iter::from_fn(|| unconstrained(peer.recv()).now_or_never()).count()
}

/// So one end works while the other does.
#[tokio::test]
async fn what_those_call_who_were_answered_leaves_before_others_get_their_answers() {
    const CALLS: usize = 64;
    let mut stage = Stage::for_calls(CALLS).await;
    let line = stage.line.clone();
    let mut calls: Vec<_> = (0..CALLS).map(|_| call(&line)).collect();
    for call in &mut calls {
        assert!(stage.poll(call).is_pending());
    }
    assert!(stage.poll_driver().is_pending());
    for _ in 0..CALLS {
        stage.answer().await;
    }
    // What this task may read at a time is used up.
    tokio::task::yield_now().await;
    stage.woken();
    assert!(stage.poll_driver().is_pending());
    assert_eq!(stage.woken(), (CALLS / 2, 1), "half of the callers, and itself");
    for answered in &mut calls[..CALLS / 2] {
        assert!(stage.poll(answered).is_ready());
        *answered = call(&line);
        assert!(stage.poll(answered).is_pending());
    }
    assert_eq!(come(&mut stage.peer), 0);
    assert!(stage.poll_driver().is_pending());
    assert_eq!(come(&mut stage.peer), CALLS / 2);
    assert_eq!(stage.caller.times(), CALLS / 2, "the other half");
}
