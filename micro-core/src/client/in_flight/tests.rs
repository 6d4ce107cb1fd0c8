use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;

use std::sync::{Arc, LazyLock};
use std::task::Context as TaskContext;

use super::*;
use crate::client::calling::Calling;
use crate::client::line::Line;
use crate::error::{Error, ErrorKind};
use crate::message::Headers;
use crate::rpc::frame::{FromServer, ServerEvent};
use crate::rpc::{Code, Context};

fn body(id: Option<u64>) -> FromServer {
    let event = ServerEvent::Body {
        content_type: None,
        metadata: Headers::new(),
        body: Bytes::new(),
    };
    FromServer { id, event }
}

/// Without a socket, so that it is the driver that has to send.
fn line(limit: usize) -> Arc<Line> {
    Line::new(None, Dialect::Ours, limit)
}

static ENDLESS: LazyLock<Context> = LazyLock::new(Context::new);

/// A call that waits.
fn begun(line: &Line) -> Calling<'_> {
    begun_until(line, &ENDLESS)
}

fn begun_until<'a>(line: &'a Line, context: &'a Context) -> Calling<'a> {
    let mut call = Calling::new(line, line.table.next_id(), Message::default(), context);
    assert!((&mut call).now_or_never().is_none());
    call
}

fn work(table: &InFlight) -> Option<Work> {
    table.next_work().map(|(work, _)| work)
}

fn sent(table: &InFlight) -> Option<u64> {
    match work(table) {
        Some(Work::Call(id, _)) => Some(id),
        other => panic!("not a call: {other:?}"),
    }
}

#[tokio::test]
async fn answers_find_their_calls_in_any_order() {
    let line = line(8);
    let table = &line.table;
    let (first, second) = (begun(&line), begun(&line));
    table.complete(body(Some(1)));
    table.complete(body(Some(0)));
    assert!(first.await.is_ok() && second.await.is_ok());
    assert!(table.calls.lock().entries.is_empty());
}

#[tokio::test]
async fn a_caller_that_leaves_takes_its_entry_along() {
    let line = line(8);
    let table = &line.table;
    let (first, second) = (begun(&line), begun(&line));
    assert_eq!(sent(table), Some(0));
    drop((first, second));
    assert!(table.calls.lock().entries.is_empty());
    assert_eq!(work(table), Some(Work::Cancel(0)));
    assert_eq!(
        table.next_work(),
        None,
        "a call that was never sent need not be cancelled"
    );
}

#[tokio::test]
async fn callers_that_leave_before_they_are_sent_leave_nothing_behind() {
    let line = line(8);
    let table = &line.table;
    for _ in 0..1000 {
        drop(begun(&line));
    }
    assert!(table.calls.lock().queue.len() <= 64);
    let _call = begun(&line);
    assert_eq!(sent(table), Some(1000));
}

#[tokio::test]
async fn only_the_last_undelivered_calls_may_be_made_again() {
    let line = line(8);
    let table = &line.table;
    let calls = [begun(&line), begun(&line), begun(&line)];
    assert_eq!((sent(table), sent(table)), (Some(0), Some(1)));
    table.fail_all(&Error::new(ErrorKind::Unavailable, "gone").with_undelivered(1));
    let mut never = Vec::new();
    for call in calls {
        never.push(call.await.unwrap_err().is_never_delivered());
    }
    assert_eq!(never, [false, true, true]);
    let refused = Calling::new(&line, 3, Message::default(), &ENDLESS).await;
    assert!(refused.unwrap_err().is_never_delivered());
}

#[tokio::test]
async fn an_answer_without_id_belongs_to_a_call_that_is_alone() {
    let line = line(8);
    let table = &line.table;
    let first = begun(&line);
    table.complete(body(None));
    assert_eq!(table.calls.lock().waiting, 1, "it was not sent yet");
    sent(table);
    table.complete(body(None));
    assert!(first.await.is_ok());
    let (_second, _third) = (begun(&line), begun(&line));
    assert!(sent(table).is_some() && sent(table).is_some());
    table.complete(body(None));
    assert_eq!(table.calls.lock().waiting, 2);
}

#[tokio::test]
async fn an_answer_without_id_may_be_for_a_caller_that_has_left() {
    let line = Line::new(None, Dialect::GoMicro, 8);
    let table = &line.table;
    let left = begun(&line);
    sent(table);
    drop(left);
    let call = begun(&line);
    sent(table);
    table.complete(body(None));
    assert_eq!(table.calls.lock().waiting, 1);
    table.complete(body(Some(0)));
    table.complete(body(None));
    assert!(call.await.is_ok());
}

#[tokio::test]
async fn the_table_is_bounded() {
    let line = line(1);
    let _first = begun(&line);
    let refused = Calling::new(&line, 1, Message::default(), &ENDLESS).await;
    let refused = refused.unwrap_err();
    assert!(refused.is_never_delivered());
    assert_eq!(refused.code(), Code::ResourceExhausted);
}

#[tokio::test(start_paused = true)]
async fn a_call_expires_at_its_deadline_and_the_peer_is_told() {
    let line = line(8);
    let table = &line.table;
    let start = Instant::now();
    let at = |seconds| Some(start + Duration::from_secs(seconds));
    let until = |seconds| Context::new().with_timeout(Duration::from_secs(seconds));
    let (nine, three) = (until(9), until(3));
    let late = begun_until(&line, &nine);
    let (soon, never) = (begun_until(&line, &three), begun(&line));
    let driver = &std::task::Waker::noop().clone();
    assert_eq!(table.due(driver), at(3));
    assert!(sent(table).is_some() && sent(table).is_some());
    table.expire(start + Duration::from_secs(3));
    assert_eq!(soon.await.unwrap_err().code(), Code::DeadlineExceeded);
    assert_eq!(table.due(driver), at(9));
    assert_eq!(sent(table), Some(2));
    assert_eq!(work(table), Some(Work::Cancel(1)));
    table.complete(body(Some(1)));
    assert_eq!(table.calls.lock().waiting, 2, "a late answer finds nobody");
    drop((late, never));
}

/// Counts how often a driver is woken.
struct Count(AtomicU64);

impl std::task::Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn the_driver_is_woken_once_for_many_calls() {
    let (line, woken) = (line(8), Arc::new(Count(AtomicU64::new(0))));
    let table = &line.table;
    let driver = Waker::from(woken.clone());
    for round in 1..=2 {
        assert!(table.poll_work(&TaskContext::from_waker(&driver)).is_pending());
        table.due(&driver);
        let calls = [begun(&line), begun(&line), begun(&line)];
        assert_eq!(woken.0.load(Ordering::Relaxed), round);
        assert!(table.poll_work(&TaskContext::from_waker(&driver)).is_ready());
        while table.next_work().is_some() {}
        drop(calls);
        while table.next_work().is_some() {}
    }
}

#[tokio::test]
async fn a_driver_that_lets_others_call_first_is_woken_when_there_is_enough_to_send() {
    let (line, woken) = (line(1024), Arc::new(Count(AtomicU64::new(0))));
    let table = &line.table;
    let driver = Waker::from(woken.clone());
    let mut calls = vec![begun(&line), begun(&line)];
    let count = || woken.0.load(Ordering::Relaxed);
    for round in 0..3 {
        assert!(table.poll_work(&TaskContext::from_waker(&driver)).is_ready());
        assert!(table.is_busy());
        let misses_one = || {
            let calls = table.calls.lock();
            calls.queue.len() + 1 >= calls.part()
        };
        while !misses_one() {
            calls.push(begun(&line));
        }
        assert_eq!(count(), round, "the others share its flush");
        calls.extend((0..ENOUGH).map(|_| begun(&line)));
        assert_eq!(count(), round + 1, "once, though more come before it looks");
        while table.next_work().is_some() {}
        calls.push(begun(&line));
        assert_eq!(count(), round + 1, "it has not slept");
    }
}
