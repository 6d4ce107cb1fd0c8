//! The half of a socket that sends.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::Sink;
use futures::future::BoxFuture;
use micro_core::{Error, ErrorKind, Message, Result};
use nats_common::PUBLISH_LIMIT;
use tokio::time::{Sleep, sleep};

use super::content::{MAX_HEADER_BYTES, MAX_HEADERS};
use super::end::{End, Flushed};
use super::out::{Out, Style};
use super::socket::Hold;
use crate::sender::too_large;

/// The sink of one end.
///
/// Messages are put into a packet as they are fed. It leaves when it is full, or when the sink is flushed.
pub(crate) struct Sender {
    hold: Arc<Hold>,
    finish: Option<Finish>,
    /// How long a connection that takes nothing is waited for.
    patience: Option<Pin<Box<Sleep>>>,
}

enum Finish {
    /// What was fed is leaving.
    Leaving,
    /// What was published is being handed to the operating system.
    Flushing(BoxFuture<'static, Result<()>>),
    /// All is done.
    Done,
}

impl Sender {
    pub(crate) fn new(hold: Arc<Hold>) -> Self {
        Sender {
            hold,
            finish: None,
            patience: None,
        }
    }

    fn end(&self) -> &Arc<End> {
        &self.hold.end
    }

    fn closed(&self) -> Result<()> {
        match self.finish {
            Some(_) => Err(self.describe(Error::closed("this end has finished"))),
            None => Ok(()),
        }
    }

    /// Why nothing can be sent.
    fn refusal(&self) -> Error {
        let refusal = self.end().look(|incoming| incoming.ending.refusal());
        // Who refuses says why a moment later.
        self.describe(refusal.unwrap_or_else(|| Error::closed("the socket has ended")))
    }

    /// Sends what it can, and waits until `done`.
    fn poll_out(&mut self, context: &mut Context<'_>, done: fn(&Out) -> bool) -> Poll<Result<bool>> {
        match self.end().flush_until(done, context.waker()) {
            Flushed::NoRoom => return self.poll_patience(context),
            Flushed::NoCredit | Flushed::Refused(false) => {
                self.patience = None;
                return Poll::Pending;
            }
            Flushed::Refused(true) => return Poll::Ready(Ok(false)),
            Flushed::Done => {}
        }
        self.patience = None;
        Poll::Ready(Ok(true))
    }

    fn poll_patience(&mut self, context: &mut Context<'_>) -> Poll<Result<bool>> {
        let patience = self
            .patience
            .get_or_insert_with(|| Box::pin(sleep(PUBLISH_LIMIT)));
        ready!(patience.as_mut().poll(context));
        let text = "the NATS connection is down or stalled, and a message could not be sent";
        self.end().fail_send(Error::new(ErrorKind::Unavailable, text));
        Poll::Ready(Err(self.refusal()))
    }

    /// Whether a message can be sent at all.
    fn check(&self, message: &Message, peers_limit: u64) -> Result<()> {
        let limit = self.end().link.max_message;
        let limit = limit.min(usize::try_from(peers_limit).unwrap_or(usize::MAX));
        let size = message.size();
        if size > limit {
            return Err(too_large("the message is too large", "bytes", size, limit));
        }
        if message.headers.len() > MAX_HEADERS {
            let text = "the message has too many headers";
            return Err(too_large(text, "headers", message.headers.len(), MAX_HEADERS));
        }
        let headers = size - message.body.len();
        if headers > MAX_HEADER_BYTES {
            let text = "the message's headers are too large";
            return Err(too_large(text, "bytes of headers", headers, MAX_HEADER_BYTES));
        }
        Ok(())
    }

    fn feed(&self, message: Message) -> impl FnOnce(&mut Out, &Style<'_>) -> Result<bool> {
        move |out, style| {
            if out.refused {
                return Ok(false);
            }
            self.check(&message, out.max_message)?;
            out.feed(&message, style);
            Ok(true)
        }
    }

    fn describe(&self, error: Error) -> Error {
        error
            .with_operation("send")
            .with_context("address", &self.end().remote)
    }
}

impl Sink<Message> for Sender {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.closed()?;
        match ready!(self.poll_out(context, Out::is_ready))? {
            true => Poll::Ready(Ok(())),
            false => Poll::Ready(Err(self.refusal())),
        }
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<()> {
        self.closed()?;
        let fed = self.end().write(self.feed(message));
        match fed {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.refusal()),
            Err(error) => Err(self.describe(error)),
        }
    }

    /// What is dropped because the peer takes no more was sent, and is undelivered: the reader is told how much.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.poll_out(context, Out::is_empty).map_ok(drop)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        if self.finish.is_none() {
            self.hold.finish();
            self.finish = Some(Finish::Leaving);
        }
        if let Some(Finish::Leaving) = self.finish {
            let left = ready!(self.poll_out(context, Out::is_empty));
            self.finish = Some(Finish::Done);
            left?;
            if self.end().has_dropped() {
                return Poll::Ready(Err(self.refusal()));
            }
            if self.hold.has_peer_left() {
                return Poll::Ready(Ok(()));
            }
            let connection = self.end().link.connection.clone();
            let flushed = Box::pin(async move { connection.flush().await });
            self.finish = Some(Finish::Flushing(flushed));
        }
        match &mut self.finish {
            Some(Finish::Flushing(flushing)) => {
                let result = ready!(flushing.as_mut().poll(context));
                self.finish = Some(Finish::Done);
                Poll::Ready(result.map_err(|error| self.describe(error)))
            }
            _ => Poll::Ready(Ok(())),
        }
    }
}

impl Drop for Sender {
    /// What was taken still leaves, and then the word that nothing more comes.
    fn drop(&mut self) {
        if self.finish.is_none() {
            self.hold.finish();
        }
        self.hold.linger();
    }
}
