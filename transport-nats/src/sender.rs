//! The half of a socket that sends.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::Sink;
use futures::future::BoxFuture;
use micro_core::{Error, ErrorKind, Message, Result};
use nats_common::Outgoing;

use crate::control::Word;
use crate::encoding::Mark;
use crate::socket::{End, Hold};

/// How many messages may be fed before a flush is awaited.
const FED: usize = 64;

/// The sink of one end.
pub(crate) struct Sender {
    hold: Arc<Hold>,
    /// Fed, and not yet published.
    fed: VecDeque<Bytes>,
    /// One that had to wait: there was no room, or no connection.
    stalled: Option<(Outgoing, BoxFuture<'static, Result<()>>)>,
    /// The end of this direction, once it is wanted.
    finish: Option<Finish>,
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
            fed: VecDeque::new(),
            stalled: None,
            finish: None,
        }
    }

    fn end(&self) -> &Arc<End> {
        &self.hold.end
    }

    /// Publishes what was fed, as far as there is room.
    fn poll_publish(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        loop {
            if let Some((_, stalled)) = &mut self.stalled {
                let result = ready!(stalled.as_mut().poll(context));
                self.stalled = None;
                result.map_err(|error| self.give_up(error))?;
            }
            if self.fed.is_empty() {
                return Poll::Ready(Ok(()));
            }
            if let Some(error) = self.hold.end.refusal(self.fed.len()) {
                self.fed.clear();
                return Poll::Ready(Err(self.describe(error)));
            }
            self.publish_next()?;
        }
    }

    fn publish_next(&mut self) -> Result<()> {
        let Some(payload) = self.fed.pop_front() else {
            return Ok(());
        };
        self.end().pulse.said();
        let outgoing = outgoing(self.end(), payload);
        match self.end().connection.try_publish(&outgoing) {
            Some(result) => result.map_err(|error| self.describe(error)),
            None => {
                let (connection, later) = (self.end().connection.clone(), outgoing.clone());
                let later = Box::pin(async move { connection.publish(later).await });
                self.stalled = Some((outgoing, later));
                Ok(())
            }
        }
    }

    /// A message that could not leave takes those behind it with it: none may overtake it.
    fn give_up(&mut self, error: Error) -> Error {
        let unsent = 1 + self.fed.len();
        self.fed.clear();
        self.end()
            .fail(ErrorKind::Unavailable, "a message could not be sent");
        drop(self.end().refusal(unsent));
        self.describe(error.with_undelivered(unsent))
    }

    fn describe(&self, error: Error) -> Error {
        error
            .with_operation("send")
            .with_context("address", &self.end().remote)
    }

    fn encode(&self, message: Message) -> Result<Bytes> {
        let end = self.end();
        let (size, limit) = (message.size(), end.connection.max_payload());
        let limit = end.encoding.max_message_size(limit);
        if size > limit {
            return Err(too_large(size, limit));
        }
        let mark = (end.peer.is_ours() && end.is_dialled()).then(|| match end.is_open() {
            true => Mark::More,
            false => Mark::Open,
        });
        let payload = end.encoding.encode(message, mark)?;
        end.connection.check_size(&payload)?;
        end.open();
        Ok(payload)
    }

    /// Tells the peer that nothing more comes: a wanted end, or one by which something may have been lost.
    fn tell_the_end(&self) {
        let word = match self.end().look(|state| state.has_failed()) {
            true => Word::Reset,
            false => Word::Fin,
        };
        self.end().tell(word);
    }

    fn finished() -> Error {
        Error::closed("this end has finished").with_operation("send")
    }
}

fn outgoing(end: &End, payload: Bytes) -> Outgoing {
    let outgoing = Outgoing::new(end.remote.clone(), payload);
    match end.reply() {
        Some(reply) => outgoing.with_reply(reply.clone()),
        None => outgoing,
    }
}

fn too_large(size: usize, limit: usize) -> Error {
    Error::new(ErrorKind::ResourceExhausted, "the message is too large")
        .with_context("bytes", size)
        .with_context("limit", limit)
}

impl Sink<Message> for Sender {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        if self.finish.is_some() {
            return Poll::Ready(Err(Sender::finished()));
        }
        if self.fed.len() >= FED || self.stalled.is_some() {
            return self.poll_publish(context);
        }
        match self.end().refusal(self.fed.len()) {
            Some(error) => {
                self.fed.clear();
                Poll::Ready(Err(self.describe(error)))
            }
            None => Poll::Ready(Ok(())),
        }
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<()> {
        if self.finish.is_some() {
            return Err(Sender::finished());
        }
        let payload = self.encode(message).map_err(|error| self.describe(error))?;
        self.fed.push_back(payload);
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.poll_publish(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        if self.finish.is_none() {
            ready!(self.poll_publish(context))?;
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
    /// What was fed still leaves, in its order, and then the word that nothing more comes.
    fn drop(&mut self) {
        if self.finish.is_some() {
            return;
        }
        let end = self.hold.end.clone();
        if end.refusal(0).is_none() {
            if let Some((outgoing, _)) = self.stalled.take() {
                end.connection.publish_now(outgoing);
            }
            for payload in self.fed.drain(..) {
                end.connection.publish_now(outgoing(&end, payload));
            }
        }
        self.tell_the_end();
    }
}
