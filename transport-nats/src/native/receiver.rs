//! The half of a socket that receives.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use futures::Stream;
use futures::future::BoxFuture;
use micro_core::{Error, Message, Result};

use super::breach::Breach;
use super::content;
use super::end::End;
use super::frame::{self, Frame};
use super::incoming::{Item, Next, What};
use super::socket::Hold;
use crate::undelivered;

/// The stream of one end.
///
/// It takes what came in one packet at a time, and hands out its messages without looking up.
pub(crate) struct Receiver {
    hold: Arc<Hold>,
    /// What it was given, as far as it has not been read.
    frames: Bytes,
    /// How many messages that is.
    left: u64,
    /// What it costs.
    cost: u64,
    /// How many messages have been read.
    read: u64,
    settling: Option<BoxFuture<'static, bool>>,
}

impl Receiver {
    pub(crate) fn new(hold: Arc<Hold>) -> Self {
        Receiver {
            hold,
            frames: Bytes::new(),
            left: 0,
            cost: 0,
            read: 0,
            settling: None,
        }
    }

    fn end(&self) -> &Arc<End> {
        &self.hold.end
    }

    fn poll_item(&mut self, context: &mut Context<'_>) -> Poll<Next> {
        loop {
            let settled = self
                .settling
                .as_mut()
                .map(|settling| settling.as_mut().poll(context));
            if let Some(Poll::Ready(sure)) = settled {
                self.settling = None;
                return Poll::Ready(self.end().change(|incoming| incoming.ending.settled(sure)).into());
            }
            let cost = std::mem::take(&mut self.cost);
            match self.end().next(cost, context) {
                // What comes in while it settles is handed out.
                Next::Settle if self.settling.is_some() => return Poll::Pending,
                Next::Settle => self.settling = Some(Box::pin(undelivered::settle(self.end().question()))),
                Next::Wait => return Poll::Pending,
                next => return Poll::Ready(next),
            }
        }
    }

    /// The next message of what it was given.
    fn next_message(&mut self) -> Option<Result<Message>> {
        while !self.frames.is_empty() {
            let mut rest = &self.frames[..];
            let frame = frame::take(&mut rest);
            let behind = self.frames.len() - rest.len();
            let message = match frame {
                Some(Frame::Message(content)) => Some(content::read(&self.frames, content)),
                _ => None,
            };
            self.frames.advance(behind);
            if self.frames.is_empty() {
                // What is empty would still hold the packet.
                self.frames = Bytes::new();
            }
            if let Some(message) = message {
                return Some(self.hand_out(message));
            }
        }
        None
    }

    fn hand_out(&mut self, message: Option<Message>) -> Result<Message> {
        match message {
            Some(message) => {
                self.read += 1;
                self.left = self.left.saturating_sub(1);
                Ok(message)
            }
            None => {
                self.frames = Bytes::new();
                self.left = 0;
                self.end().breach(Breach::Malformed);
                Err(self.describe(Breach::Malformed.failure().error()))
            }
        }
    }

    fn take(&mut self, item: Item) -> Option<Result<Message>> {
        self.cost = item.cost();
        self.left = item.messages();
        match item.what {
            What::Frames(frames) => {
                self.frames = frames;
                self.next_message()
            }
            What::Whole(content) => Some(self.hand_out(content::read(&content, &content))),
        }
    }

    fn describe(&self, error: Error) -> Error {
        error
            .with_operation("recv")
            .with_context("address", &self.end().remote)
    }
}

impl Stream for Receiver {
    type Item = Result<Message>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(message) = self.next_message() {
                return Poll::Ready(Some(message));
            }
            let next = match self.poll_item(context) {
                Poll::Ready(next) => next,
                Poll::Pending => return Poll::Pending,
            };
            match next {
                Next::Item(item) => {
                    if let Some(message) = self.take(item) {
                        return Poll::Ready(Some(message));
                    }
                }
                Next::Error(error) => return Poll::Ready(Some(Err(self.describe(error)))),
                Next::End | Next::Wait | Next::Settle => return Poll::Ready(None),
            }
        }
    }

    /// Something comes for certain while there is more of a packet. The rest of it may be unreadable.
    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.left > 0), None)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let unread = !self.frames.is_empty();
        if self.end().change(|incoming| incoming.abandon(unread)) {
            let read = self.read;
            // Mostly the other half is dropped next, and says its word in the same packet.
            self.end().say_soon(|out| out.due.stop = Some(read));
        }
    }
}
