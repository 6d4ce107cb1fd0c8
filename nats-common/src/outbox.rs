//! What goes out: at once where there is room, within a limit where there is not, and from a drop.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_nats::client::traits::Publisher;
use async_nats::connection::State;
use async_nats::message::OutboundMessage;
use async_nats::{Client, PublishError, PublishErrorKind, Subject};
use bytes::Bytes;
use futures::poll;
use micro_core::observe::{self, Loss};
use micro_core::{Error, ErrorKind, Result};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::courier::{Order, Source};
use crate::polling::Traffic;
use crate::switchboard::{COMPONENT, Switchboard};
use crate::{errors, inbox};

/// How long a publish waits for a connection that is down or stalled.
pub const PUBLISH_LIMIT: Duration = Duration::from_secs(5);

/// A message to be published. Cloning it copies nothing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outgoing {
    /// Where to.
    pub subject: Subject,
    /// Where answers go to, and the server's word that nobody is there.
    pub reply: Option<Subject>,
    /// What.
    pub payload: Bytes,
}

impl Outgoing {
    /// A message without a reply subject.
    pub fn new(subject: impl Into<Subject>, payload: impl Into<Bytes>) -> Self {
        Outgoing {
            subject: subject.into(),
            reply: None,
            payload: payload.into(),
        }
    }

    /// Says where answers go to.
    #[must_use]
    pub fn with_reply(mut self, reply: impl Into<Subject>) -> Self {
        self.reply = Some(reply.into());
        self
    }
}

impl From<Outgoing> for OutboundMessage {
    fn from(outgoing: Outgoing) -> Self {
        OutboundMessage {
            subject: outgoing.subject,
            payload: outgoing.payload,
            reply: outgoing.reply,
            headers: None,
        }
    }
}

/// The way out of one connection.
pub(crate) struct Outbox {
    pub(crate) client: Client,
    pub(crate) board: Arc<Switchboard>,
    /// Unbounded, but bounded by those who use it: at most one fence is under way; a handle that is dropped sends
    /// a word or two, and it was paid for when it was made; a source is in it once; a subscriber waits for its answer.
    pub(crate) orders: mpsc::UnboundedSender<Order>,
    /// How many publishes wait in `orders`.
    pub(crate) waiting: Arc<AtomicUsize>,
    /// Where it is noted that something was sent, or has come.
    pub(crate) traffic: Arc<Traffic>,
}

impl Outbox {
    pub(crate) fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    pub(crate) fn not_connected(&self) -> Error {
        errors::not_connected(self.board.trouble())
    }

    pub(crate) fn check_size(&self, size: usize) -> Result<()> {
        let limit = self.client.max_payload();
        if size > limit {
            return Err(errors::too_large(size, limit));
        }
        Ok(())
    }

    /// Publishes at once, or answers `None`: not connected, or no room in the client's queue.
    pub(crate) fn offer(&self, outgoing: &Outgoing) -> Option<Result<()>> {
        let sent = self.publish_at_once(outgoing.clone())?;
        Some(self.note(sent, &outgoing.subject))
    }

    /// Publishes at once, or answers that nothing was sent, for whatever reason.
    pub(crate) fn hand_over(&self, outgoing: Outgoing) -> bool {
        let sent = self.publish_at_once(outgoing);
        self.traffic.note();
        matches!(sent, Some(Ok(())))
    }

    /// `None` when there is no connection, or no room.
    fn publish_at_once(&self, outgoing: Outgoing) -> Option<std::result::Result<(), PublishError>> {
        if !self.is_connected() {
            return None;
        }
        let sending = pin!(self.client.publish_message(outgoing.into()));
        // A publish that is not done at its first poll has queued nothing.
        match sending.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(sent) => Some(sent),
            Poll::Pending => None,
        }
    }

    /// Where there is room it is queued without a copy; all else is set apart, so that the future stays small.
    pub(crate) async fn publish(&self, outgoing: Outgoing) -> Result<()> {
        self.check_size(outgoing.payload.len())?;
        if !self.is_connected() {
            return Box::pin(self.publish_in_time(outgoing)).await;
        }
        let subject = outgoing.subject.clone();
        let mut sending = pin!(self.client.publish_message(outgoing.into()));
        let sent = match poll!(&mut sending) {
            Poll::Ready(sent) => sent,
            Poll::Pending => Box::pin(timeout(PUBLISH_LIMIT, sending))
                .await
                .map_err(|_| self.not_connected())?,
        };
        self.note(sent, &subject)
    }

    async fn publish_in_time(&self, outgoing: Outgoing) -> Result<()> {
        let later = timeout(PUBLISH_LIMIT, self.publish_when_connected(outgoing));
        later.await.unwrap_or_else(|_| Err(self.not_connected()))
    }

    pub(crate) async fn publish_when_connected(&self, outgoing: Outgoing) -> Result<()> {
        self.until_connected().await;
        let message = OutboundMessage::from(outgoing.clone());
        let sent = self.client.publish_message(message).await;
        self.note(sent, &outgoing.subject)
    }

    fn note(&self, sent: std::result::Result<(), PublishError>, subject: &Subject) -> Result<()> {
        self.traffic.note();
        sent.map_err(|error| refused(&error, subject))
    }

    /// Publishes without ever waiting; needs no runtime. Too large or illegal messages are dropped with a log line.
    pub(crate) fn publish_now(&self, outgoing: Outgoing) {
        // Whatever waits there came first.
        let direct = self.waiting.load(Ordering::Acquire) == 0;
        let result = self.check_size(outgoing.payload.len());
        match result.and_then(|()| {
            if direct {
                self.offer(&outgoing).transpose()
            } else {
                Ok(None)
            }
        }) {
            Ok(Some(())) => {}
            Ok(None) => self.order(Order::Publish(outgoing)),
            Err(error) => {
                observe::dropped(COMPONENT, Loss::Oversize);
                tracing::debug!(%error, "not published");
            }
        }
    }

    /// Publishes what a source has, when there is room.
    pub(crate) fn drain(&self, source: Arc<dyn Source>) {
        self.order(Order::Drain(source));
    }

    fn order(&self, order: Order) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        if self.orders.send(order).is_err() {
            tracing::debug!("not published: the connection has ended");
        }
    }

    pub(crate) async fn until_connected(&self) {
        if self.is_connected() {
            return;
        }
        let mut connected = self.board.connected();
        while !self.is_connected() {
            // An event may be dropped by the client, so that its word alone is not waited for.
            let _ = timeout(Duration::from_millis(250), connected.changed()).await;
        }
    }
}

fn refused(error: &PublishError, subject: &Subject) -> Error {
    match error.kind() {
        PublishErrorKind::InvalidSubject => errors::illegal_subject(subject),
        PublishErrorKind::MaxPayloadExceeded => Error::new(ErrorKind::ResourceExhausted, error.to_string()),
        PublishErrorKind::Send => errors::ended(),
    }
}

/// As [`Connection::fence`](crate::Connection::fence).
pub(crate) async fn fence(outbox: &Outbox) -> Result<()> {
    let (waiter, answer) = oneshot::channel();
    let number = outbox.board.join_fence(waiter);
    // Looked at after joining: a refusal that comes later is told to those who have joined.
    if let Some(error) = outbox.board.deafness() {
        return Err(error);
    }
    if let Some(number) = number {
        outbox.publish_now(inbox::fence(&outbox.board, number));
    }
    match timeout(crate::fence::LIMIT, answer).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(errors::ended()),
        Err(_) => Err(outbox.not_connected()),
    }
}
