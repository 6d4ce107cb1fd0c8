//! The calls of one socket that wait for their answer.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use crate::error::Error;
use crate::rpc::frame::{FromServer, ServerEvent};
use crate::rpc::{Response, Status};

/// A table of calls by id. Callers add to it, the driver completes, and a caller that goes away takes its entry along.
#[derive(Debug)]
pub(crate) struct InFlight {
    calls: Mutex<Calls>,
    /// Ids of calls whose caller went away after they were sent. At most one for each call, and calls are bounded by
    /// `limit`, so the queue is too.
    cancelled: mpsc::UnboundedSender<u64>,
    limit: usize,
}

#[derive(Debug, Default)]
struct Calls {
    next_id: u64,
    /// How many messages were sent on the socket.
    sent: u64,
    /// How many messages came from it.
    heard: u64,
    waiting: HashMap<u64, Entry>,
    ended: bool,
}

#[derive(Debug)]
struct Entry {
    answer: oneshot::Sender<Result<Response, Status>>,
    /// Which message of the socket it was; `None` while it is queued.
    sent: Option<u64>,
}

/// One call that waits. Dropping it removes the entry, and tells the driver if the call was sent.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) id: u64,
    table: Arc<InFlight>,
    answer: oneshot::Receiver<Result<Response, Status>>,
}

impl InFlight {
    /// An empty table for at most `limit` calls, and the ids of those whose caller went away.
    pub(crate) fn new(limit: usize) -> (Arc<Self>, mpsc::UnboundedReceiver<u64>) {
        let (cancelled, gone) = mpsc::unbounded_channel();
        (
            Arc::new(InFlight {
                calls: Mutex::default(),
                cancelled,
                limit,
            }),
            gone,
        )
    }

    /// Adds a call.
    pub(crate) fn begin(self: &Arc<Self>) -> Result<Waiting, Status> {
        let (sender, answer) = oneshot::channel();
        let mut calls = self.calls.lock();
        if calls.ended {
            return Err(Status::unavailable("the socket has ended").never_delivered());
        }
        if calls.waiting.len() >= self.limit {
            let message = format!(
                "{} calls are in flight to this node, and that is the limit",
                self.limit
            );
            return Err(Status::resource_exhausted(message).never_delivered());
        }
        let id = calls.next_id;
        calls.next_id += 1;
        calls.waiting.insert(
            id,
            Entry {
                answer: sender,
                sent: None,
            },
        );
        Ok(Waiting {
            id,
            table: self.clone(),
            answer,
        })
    }

    /// Notes that a call is being sent; false when its caller has gone away, and it need not be.
    pub(crate) fn mark_sent(&self, id: u64) -> bool {
        let mut calls = self.calls.lock();
        let sent = calls.sent + 1;
        match calls.waiting.get_mut(&id) {
            Some(entry) => entry.sent = Some(sent),
            None => return false,
        }
        calls.sent = sent;
        true
    }

    /// Takes back that the call noted last was sent.
    pub(crate) fn mark_unsent(&self, id: u64) {
        let mut calls = self.calls.lock();
        calls.sent -= 1;
        if let Some(entry) = calls.waiting.get_mut(&id) {
            entry.sent = None;
        }
    }

    /// Notes that a message was sent that is no call.
    pub(crate) fn mark_other_sent(&self) {
        self.calls.lock().sent += 1;
    }

    /// Ends the call that could not be sent.
    pub(crate) fn refuse(&self, id: u64, status: Status) {
        let entry = self.calls.lock().waiting.remove(&id);
        if let Some(entry) = entry {
            entry.answer.send(Err(status)).ok();
        }
    }

    /// Hands an answer to its caller. One that comes too late finds no entry, and is dropped.
    pub(crate) fn complete(&self, message: FromServer) {
        let entry = {
            let mut calls = self.calls.lock();
            calls.heard += 1;
            if matches!(message.event, ServerEvent::Pong) {
                return;
            }
            // go-micro leaves the id out of some failures: it can only be meant for a call that is alone.
            let id = message.id.or_else(|| only(&calls.waiting));
            id.and_then(|id| calls.waiting.remove(&id))
        };
        match entry {
            Some(entry) => drop(entry.answer.send(answer(message.event))),
            None => tracing::debug!(id = message.id, "an answer came that nobody waits for"),
        }
    }

    /// Ends all calls, because the socket ended. Those among the last `undelivered` messages reached nobody.
    pub(crate) fn fail_all(&self, error: &Error) {
        let mut calls = self.calls.lock();
        calls.ended = true;
        let delivered = calls.sent.saturating_sub(error.undelivered() as u64);
        let waiting = std::mem::take(&mut calls.waiting);
        drop(calls);
        for entry in waiting.into_values() {
            let status = Status::unavailable(error.to_string());
            let reached = entry.sent.is_some_and(|sent| sent <= delivered);
            entry
                .answer
                .send(Err(if reached { status } else { status.never_delivered() }))
                .ok();
        }
    }

    /// How many messages have come, while calls wait for their answer.
    pub(crate) fn heard_while_waiting(&self) -> Option<u64> {
        let calls = self.calls.lock();
        (!calls.waiting.is_empty()).then_some(calls.heard)
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.calls.lock().waiting.len()
    }
}

fn only(waiting: &HashMap<u64, Entry>) -> Option<u64> {
    match waiting.len() {
        1 => waiting.keys().next().copied(),
        _ => None,
    }
}

fn answer(event: ServerEvent) -> Result<Response, Status> {
    match event {
        ServerEvent::Body {
            content_type,
            metadata,
            body,
        } => {
            let mut response = Response::new(body).with_content_type(content_type.unwrap_or_default());
            response.metadata = metadata;
            Ok(response)
        }
        ServerEvent::End => Err(Status::internal("the peer ended a stream that was never opened")),
        ServerEvent::Failed(status) => Err(status),
        ServerEvent::Pong => Err(Status::internal("an answer to a ping is none to a call")),
    }
}

impl Waiting {
    /// Waits for the answer.
    pub(crate) async fn answer(mut self) -> Result<Response, Status> {
        match (&mut self.answer).await {
            Ok(answer) => answer,
            Err(_) => Err(Status::unavailable("the socket's driver is gone")),
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let entry = self.table.calls.lock().waiting.remove(&self.id);
        if entry.is_some_and(|entry| entry.sent.is_some()) {
            self.table.cancelled.send(self.id).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::error::ErrorKind;
    use crate::message::Headers;

    fn body(id: Option<u64>) -> FromServer {
        let event = ServerEvent::Body {
            content_type: None,
            metadata: Headers::new(),
            body: Bytes::new(),
        };
        FromServer { id, event }
    }

    #[tokio::test]
    async fn answers_find_their_calls_in_any_order() {
        let (table, _gone) = InFlight::new(8);
        let (first, second) = (table.begin().unwrap(), table.begin().unwrap());
        table.complete(body(Some(second.id)));
        table.complete(body(Some(first.id)));
        assert!(first.answer().await.is_ok() && second.answer().await.is_ok());
        assert_eq!(table.len(), 0);
    }

    #[tokio::test]
    async fn a_caller_that_leaves_takes_its_entry_along() {
        let (table, mut gone) = InFlight::new(8);
        let (queued, sent) = (table.begin().unwrap(), table.begin().unwrap());
        assert!(table.mark_sent(sent.id));
        let (queued_id, sent_id) = (queued.id, sent.id);
        drop((queued, sent));
        assert_eq!((table.len(), gone.try_recv()), (0, Ok(sent_id)));
        assert!(
            gone.try_recv().is_err(),
            "a call that was never sent need not be cancelled"
        );
        assert!(!table.mark_sent(queued_id));
    }

    #[tokio::test]
    async fn only_the_last_undelivered_calls_may_be_made_again() {
        let (table, _gone) = InFlight::new(8);
        let calls = [
            table.begin().unwrap(),
            table.begin().unwrap(),
            table.begin().unwrap(),
        ];
        table.mark_sent(0);
        table.mark_sent(1);
        table.fail_all(&Error::new(ErrorKind::Unavailable, "gone").with_undelivered(1));
        let mut never = Vec::new();
        for call in calls {
            never.push(call.answer().await.unwrap_err().is_never_delivered());
        }
        assert_eq!(never, [false, true, true]);
        assert!(table.begin().unwrap_err().is_never_delivered());
    }

    #[tokio::test]
    async fn an_answer_without_id_belongs_to_a_call_that_is_alone() {
        let (table, _gone) = InFlight::new(8);
        let first = table.begin().unwrap();
        table.complete(body(None));
        assert!(first.answer().await.is_ok());
        let (_second, _third) = (table.begin().unwrap(), table.begin().unwrap());
        table.complete(body(None));
        assert_eq!(table.len(), 2);
    }

    #[tokio::test]
    async fn the_table_is_bounded() {
        let (table, _gone) = InFlight::new(1);
        let _first = table.begin().unwrap();
        let refused = table.begin().unwrap_err();
        assert!(refused.is_never_delivered());
        assert_eq!(refused.code(), crate::rpc::Code::ResourceExhausted);
    }
}
