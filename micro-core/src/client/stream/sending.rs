//! What a caller of a stream sends.

use std::convert::Infallible;
use std::sync::atomic::Ordering;

use futures::{FutureExt, SinkExt};

use super::Call;
use crate::error::{Error, ErrorKind};
use crate::message::Message;
use crate::rpc::frame;
use crate::rpc::items::Chunk;
use crate::rpc::pack::Pack;
use crate::rpc::{BodyStream, CallKind, Filled, Status};
use crate::transport::SocketSender;

/// Why no more could be sent.
pub(super) enum Unsent {
    /// The caller's own messages ended with an error.
    Source(Status),
    Socket(Error),
}

impl From<Status> for Unsent {
    fn from(status: Status) -> Self {
        Unsent::Source(status)
    }
}

impl From<Error> for Unsent {
    fn from(error: Error) -> Self {
        Unsent::Socket(error)
    }
}

impl Call {
    /// Sends the opening and all items, and then waits for ever; returns what went wrong.
    pub(super) async fn send(&self, sender: &mut SocketSender, mut outgoing: BodyStream) -> Unsent {
        match self.send_all(sender, &mut outgoing).await {
            Ok(()) => self
                .alive(sender, std::future::pending())
                .await
                .map_or_else(Unsent::from, |never: Infallible| match never {}),
            Err(unsent) => unsent,
        }
    }

    /// Waits, and tells the server meanwhile what it may send, or that it is still waited for.
    async fn alive<T>(&self, sender: &mut SocketSender, wait: impl Future<Output = T>) -> Result<T, Error> {
        tokio::pin!(wait);
        let mut beats = self.pulse.beats();
        loop {
            let word = tokio::select! {
                done = &mut wait => return beats.check().map(|()| done),
                amount = self.teller.due() => frame::credit(0, amount),
                beat = beats.next() => beat.map(|()| frame::ping())?,
            };
            sender.send(word).await?;
            self.count_sent();
        }
    }

    /// Feeds what is ready, and flushes before it waits for more.
    async fn send_all(&self, sender: &mut SocketSender, outgoing: &mut BodyStream) -> Result<(), Unsent> {
        self.feed(sender, self.caller.opening(self.opening.clone())?)
            .await?;
        let mut pack = Pack::new(self.credit.clone());
        loop {
            if let Some(amount) = self.teller.take_due() {
                self.feed(sender, frame::credit(0, amount)).await?;
            }
            let filled = match outgoing.fill(&mut pack).now_or_never() {
                Some(filled) => filled,
                None => {
                    sender.flush().await?;
                    self.alive(sender, outgoing.fill(&mut pack)).await?
                }
            };
            while let Some(chunk) = pack.take() {
                self.feed_items(sender, chunk).await?;
            }
            match filled {
                Filled::Some => {}
                Filled::End => break,
                Filled::Failed(status) => return Err(status.into()),
            }
        }
        if let Some(end) = self.end_of_requests() {
            self.feed(sender, end).await?;
        }
        Ok(sender.flush().await?)
    }

    /// A pack that is too large for the socket goes item by item.
    async fn feed_items(&self, sender: &mut SocketSender, chunk: Chunk) -> Result<(), Error> {
        let apart = chunk.pack().cloned();
        match (self.feed(sender, self.caller.items(chunk)?).await, apart) {
            (Err(error), Some(mut items)) if error.kind() == ErrorKind::ResourceExhausted => {
                while let Some(item) = items.next() {
                    self.feed(sender, self.caller.items(Chunk::One(item))?).await?;
                }
                Ok(())
            }
            (fed, _) => fed,
        }
    }

    async fn feed(&self, sender: &mut SocketSender, message: Message) -> Result<(), Error> {
        sender.feed(message).await?;
        self.count_sent();
        Ok(())
    }

    /// Every message counts, whatever it says: an error's `undelivered` counts them all.
    fn count_sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// go-micro has no half-close. A handler of its takes the end of the stream for that of the requests, and still
    /// answers; but it says no more when it is done, so that only a caller who waits for one answer would know.
    fn end_of_requests(&self) -> Option<Message> {
        match self.dialect.is_ours() {
            true => Some(frame::half_close(0)),
            false => (self.kind == CallKind::ClientStream).then(|| self.caller.end()),
        }
    }
}
