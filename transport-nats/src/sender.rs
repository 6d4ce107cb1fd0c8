//! The half of a socket that sends.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::Sink;
use futures::future::BoxFuture;
use micro_core::{Error, ErrorKind, Message, Result};
use nats_common::Outgoing;

use crate::control::Word;
use crate::end::End;
use crate::go_micro::{self, Mark};
use crate::socket::Hold;
use crate::state::State;

/// The sink of one end.
///
/// A message is published the moment it is fed, so what was taken can be undelivered, but not unsent. Only where
/// there is no room, or no connection, one waits, and those behind it are not taken before it has left.
pub(crate) struct Sender {
    hold: Arc<Hold>,
    stalled: Option<Stalled>,
    /// The end of this direction, once it is wanted.
    finish: Option<Finish>,
}

/// A message that has to wait.
struct Stalled {
    outgoing: Outgoing,
    published: BoxFuture<'static, Result<()>>,
}

enum Finish {
    /// What was published is being handed to the operating system.
    Flushing(BoxFuture<'static, Result<()>>),
    /// All is done.
    Done,
}

impl Sender {
    pub(crate) fn new(hold: Arc<Hold>) -> Self {
        Sender {
            hold,
            stalled: None,
            finish: None,
        }
    }

    fn end(&self) -> &Arc<End> {
        &self.hold.end
    }

    /// Whether a message can be taken at all.
    fn check(&self) -> Result<()> {
        if self.finish.is_some() {
            return Err(self.describe(Error::closed("this end has finished")));
        }
        match self.end().look(State::refusal) {
            Some(error) => Err(self.describe(error)),
            None => Ok(()),
        }
    }

    fn encode(&self, message: Message) -> Result<Bytes> {
        let end = self.end();
        let (size, limit) = (message.size(), end.connection.max_payload());
        let limit = go_micro::max_message_size(limit);
        if size > limit {
            return Err(too_large("the message is too large", "bytes", size, limit));
        }
        let mark = (end.peer.is_ours() && end.is_dialled()).then(|| match end.is_open() {
            true => Mark::More,
            false => Mark::Open,
        });
        let payload = go_micro::encode(message, mark)?;
        end.connection.check_size(&payload)?;
        Ok(payload)
    }

    fn publish(&mut self, payload: Bytes) -> Result<()> {
        let end = self.end();
        end.pulse.said();
        let outgoing = outgoing(end, payload);
        match end.connection.try_publish(&outgoing) {
            Some(result) => result?,
            None => self.stall(outgoing),
        }
        self.end().open();
        Ok(())
    }

    fn stall(&mut self, outgoing: Outgoing) {
        let (connection, later) = (self.end().connection.clone(), outgoing.clone());
        self.stalled = Some(Stalled {
            outgoing,
            published: Box::pin(async move { connection.publish(later).await }),
        });
    }

    fn poll_stalled(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let Some(stalled) = &mut self.stalled else {
            return Poll::Ready(Ok(()));
        };
        let result = ready!(stalled.published.as_mut().poll(context));
        self.stalled = None;
        Poll::Ready(result.map_err(|error| {
            // A message is missing, so none may follow.
            self.end()
                .fail(ErrorKind::Unavailable, "a message could not be sent");
            self.describe(error)
        }))
    }

    /// Tells the peer that nothing more comes: a wanted end, or one by which something may have been lost.
    fn tell_the_end(&self) {
        self.end().closed.set();
        let word = match self.end().look(State::has_failed) {
            true => Word::Reset,
            false => Word::Fin,
        };
        self.end().tell(word);
    }

    fn describe(&self, error: Error) -> Error {
        error
            .with_operation("send")
            .with_context("address", &self.end().remote)
    }
}

fn outgoing(end: &End, payload: Bytes) -> Outgoing {
    let outgoing = Outgoing::new(end.remote.clone(), payload);
    match end.reply() {
        Some(reply) => outgoing.with_reply(reply.clone()),
        None => outgoing,
    }
}

/// A message that no peer is sent, because it has too much of something.
pub(crate) fn too_large(text: &'static str, what: &'static str, size: usize, limit: usize) -> Error {
    Error::new(ErrorKind::ResourceExhausted, text)
        .with_context(what, size)
        .with_context("limit", limit)
}

impl Sink<Message> for Sender {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(self.poll_stalled(context))?;
        Poll::Ready(self.check())
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<()> {
        self.check()?;
        let sent = self.encode(message).and_then(|payload| self.publish(payload));
        sent.map_err(|error| self.describe(error))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.poll_stalled(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        if self.finish.is_none() {
            ready!(self.poll_stalled(context))?;
            self.tell_the_end();
            let connection = self.end().connection.clone();
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
        if self.finish.is_some() {
            return;
        }
        let end = self.hold.end.clone();
        if let Some(stalled) = self.stalled.take()
            && end.look(State::refusal).is_none()
        {
            end.connection.publish_now(stalled.outgoing);
        }
        self.tell_the_end();
    }
}
