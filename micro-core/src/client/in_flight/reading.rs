//! Answers, and the end of the socket, for those who wait.

use std::task::Waker;

use super::InFlight;
use super::calls::{End, Progress};
use crate::error::{Error, ErrorKind};
use crate::observe::{self, Loss};
use crate::rpc::frame::{FromServer, ServerEvent};
use crate::rpc::{Response, Status};

impl InFlight {
    /// Hands an answer to its caller; which call it ended. One that comes too late finds nobody, and is dropped.
    pub(crate) fn complete(&self, message: FromServer) -> Option<u64> {
        let mut calls = self.calls.lock();
        calls.heard += 1;
        if matches!(message.event, ServerEvent::Pong) {
            return None;
        }
        let id = match message.id {
            Some(id) => {
                if let Some(owed) = &mut calls.owed {
                    owed.settle(id);
                }
                Some(id)
            }
            None => calls.only(),
        };
        let ended = id.and_then(|id| Some((id, calls.finish(id, answer(message.event))?)));
        drop(calls);
        let Some((id, caller)) = ended else {
            observe::dropped("client", Loss::Late);
            tracing::debug!(id = message.id, "an answer came that nobody waits for");
            return None;
        };
        caller.wake();
        Some(id)
    }

    /// Ends all calls, because the socket ended. Those among the last `undelivered` messages reached nobody.
    pub(crate) fn fail_all(&self, error: &Error) {
        let mut calls = self.calls.lock();
        if calls.end == End::No {
            calls.end = End::Ended;
        }
        let delivered = calls.sent.saturating_sub(error.undelivered() as u64);
        calls.waiting = 0;
        let mut callers = Vec::new();
        for entry in calls.entries.values_mut() {
            let reached = match entry.progress {
                Progress::Done(_) => continue,
                Progress::Queued(_) => false,
                Progress::Sent(number) => number <= delivered,
            };
            let status = match error.kind() {
                ErrorKind::PermissionDenied => Status::permission_denied(error.to_string()),
                _ => Status::unavailable(error.to_string()),
            };
            let status = if reached { status } else { status.never_delivered() };
            entry.progress = Progress::Done(Err(status));
            callers.push(entry.caller.clone());
        }
        drop(calls);
        callers.into_iter().for_each(Waker::wake);
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
        ServerEvent::Items(_) | ServerEvent::Credit(_) | ServerEvent::End => Err(Status::internal(
            "the peer answered with a stream that was never opened",
        )),
        ServerEvent::Failed(status) => Err(status),
        ServerEvent::Pong => Err(Status::internal("an answer to a ping is none to a call")),
    }
}
