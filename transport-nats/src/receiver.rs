//! The half of a socket that receives.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Stream;
use futures::future::BoxFuture;
use micro_core::{Error, Message, Result};

use crate::control::Word;
use crate::end::End;
use crate::go_micro;
use crate::socket::Hold;
use crate::state::Next;
use crate::undelivered;

/// The stream of one end.
pub(crate) struct Receiver {
    hold: Arc<Hold>,
    settling: Option<BoxFuture<'static, bool>>,
}

impl Receiver {
    pub(crate) fn new(hold: Arc<Hold>) -> Self {
        Receiver { hold, settling: None }
    }

    fn end(&self) -> &Arc<End> {
        &self.hold.end
    }

    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Next> {
        loop {
            let settled = self
                .settling
                .as_mut()
                .map(|settling| settling.as_mut().poll(context));
            if let Some(Poll::Ready(sure)) = settled {
                self.settling = None;
                return Poll::Ready(self.end().change(|state| state.settled(sure)));
            }
            match self.end().next(context) {
                // What comes in while it settles is handed out.
                Next::Settle if self.settling.is_some() => return Poll::Pending,
                Next::Settle => self.settling = Some(Box::pin(undelivered::settle(self.end().question()))),
                Next::Wait => return Poll::Pending,
                next => return Poll::Ready(next),
            }
        }
    }

    fn decode(&self, payload: &Bytes) -> Result<Message> {
        match go_micro::decode(payload) {
            Ok((message, _)) => Ok(message),
            Err(error) => Err(self.describe(error)),
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
        self.poll_recv(context).map(|next| match next {
            Next::Payload(payload) => Some(self.decode(&payload)),
            Next::Error(error) => Some(Err(self.describe(error))),
            Next::End | Next::Wait | Next::Settle => None,
        })
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(unread) = self.end().change(|state| state.abandon()) {
            self.end().tell(Word::Stop(unread));
        }
    }
}
