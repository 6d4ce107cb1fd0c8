//! What a caller of a stream gets.

use std::sync::atomic::Ordering;

use futures::StreamExt;

use super::Call;
use crate::error::{Error, ErrorKind};
use crate::rpc::Status;
use crate::rpc::frame::{self, ServerEvent};
use crate::rpc::items::{Chunk, Items};
use crate::rpc::lane::{Sent, TOO_MUCH};
use crate::transport::SocketReceiver;

impl Call {
    /// Hands on what comes; `None` when the stream ended well.
    pub(super) async fn receive(&self, mut receiver: SocketReceiver) -> Option<Status> {
        while let Some(message) = receiver.next().await {
            self.pulse.heard();
            let heard = match message {
                Ok(message) => self.hear(frame::from_server(message).event).await,
                Err(error) => Err(Some(self.broken(&error))),
            };
            if let Err(ended) = heard {
                return ended;
            }
        }
        Some(Status::unavailable(
            "the peer closed the socket in the middle of the stream",
        ))
    }

    /// Fails with how the stream ended, if it did.
    async fn hear(&self, event: ServerEvent) -> Result<(), Option<Status>> {
        match event {
            ServerEvent::Body { body, .. } => self.hand_on(Chunk::One(body)).await,
            ServerEvent::Items(body) => match Items::open(body) {
                Some(items) => self.hand_on(Chunk::Many(items)).await,
                None => Err(Some(Status::internal("a pack of items cannot be read"))),
            },
            ServerEvent::Credit(amount) => match (amount, &self.credit) {
                (Some(amount), Some(credit)) => {
                    credit.raise(amount);
                    Ok(())
                }
                _ => Err(Some(Status::internal(
                    "credit cannot be read, or was not asked for",
                ))),
            },
            ServerEvent::Pong => Ok(()),
            ServerEvent::End => Err(None),
            ServerEvent::Failed(status) => Err(Some(status)),
        }
    }

    async fn hand_on(&self, chunk: Chunk) -> Result<(), Option<Status>> {
        match self.items.send(chunk).await {
            Sent::Well => Ok(()),
            Sent::Unread => Err(None),
            Sent::TooMuch => Err(Some(Status::internal(TOO_MUCH))),
        }
    }

    /// A socket that broke. When not one message reached anybody, the call has not run.
    pub(super) fn broken(&self, error: &Error) -> Status {
        let status = match error.kind() {
            ErrorKind::Lagged(_) => Status::data_loss(error.to_string()),
            ErrorKind::Malformed => Status::internal(error.to_string()),
            ErrorKind::PermissionDenied => Status::permission_denied(error.to_string()),
            _ => Status::unavailable(error.to_string()),
        };
        let sent = self.sent.load(Ordering::Relaxed);
        if error.undelivered() > 0 && error.undelivered() >= sent {
            status.never_delivered()
        } else {
            status
        }
    }
}
