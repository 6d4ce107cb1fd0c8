//! A call that was begun on a socket, as the task that reads the socket knows it.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use futures::{Stream, StreamExt};

use crate::rpc::credit::{Amount, Credit};
use crate::rpc::frame::{Call, ReplyTo};
use crate::rpc::items::Chunk;
use crate::rpc::lane::{LaneSender, Sent, TOO_MUCH, lane};
use crate::rpc::{Body, BodyStream, Context, Status};
use crate::server::flow::Flow;
use crate::server::outbox::Caller;

/// A call that was begun on this socket.
pub(super) struct Running {
    pub(super) context: Context,
    /// Where items go, until nothing more comes.
    items: Option<LaneSender>,
    /// What its caller allows, when it says so.
    credit: Option<Arc<Credit>>,
    /// Gone when the call has ended.
    caller: Weak<Caller>,
}

/// Where the items of a caller go.
pub(super) struct Incoming {
    items: LaneSender,
    /// When the caller counts on credit.
    flow: Option<Flow>,
}

impl Incoming {
    /// For a new stream that this message opened: where its later items go, and its body.
    pub(super) fn open(reply: &ReplyTo, context: &Context, first: Bytes, capacity: usize) -> (Self, Body) {
        let (items, lane) = lane(capacity, reply.packs());
        let body = BodyStream::of_chunks(lane.chain(bad_end(context.clone())));
        let flow = reply.packs().then(|| Flow::new(&items));
        (Incoming { items, flow }, Body::Many(body.with_opening(first)))
    }

    pub(super) fn into_parts(self) -> (Option<LaneSender>, Option<Flow>) {
        (Some(self.items), self.flow)
    }
}

/// What a stream ends with whose caller went away instead of ending it.
fn bad_end(context: Context) -> impl Stream<Item = Result<Chunk, Status>> {
    futures::stream::once(async move { context.is_cancelled() })
        .filter_map(async |gone| gone.then(|| Err(Status::cancelled("the caller went away"))))
}

impl Running {
    pub(super) fn new(
        context: Context,
        caller: &Arc<Caller>,
        items: Option<LaneSender>,
        flow: Option<&Flow>,
    ) -> Self {
        Running {
            context,
            items,
            credit: flow.map(|flow| flow.credit.clone()),
            caller: Arc::downgrade(caller),
        }
    }

    /// Whether it may still be answered.
    pub(super) fn lasts(&self) -> bool {
        self.caller.strong_count() > 0
    }

    /// Whom it is answered to; `None` when it has ended.
    pub(super) fn caller(&self) -> Option<Arc<Caller>> {
        self.caller.upgrade()
    }

    /// The caller sends no more.
    pub(super) fn half_close(&mut self) {
        self.items = None;
    }

    /// Hands on what the caller sent, to a handler that may read no longer; what there is no room for is given back.
    ///
    /// # Errors
    /// What the caller is told, whose call is then to be [cut](Running::cut).
    pub(super) fn hear(&self, call: &mut Call) -> Result<Option<Chunk>, Status> {
        let Some(items) = &self.items else {
            return Ok(None);
        };
        match items.try_send(call.take_items()?) {
            Ok(sent) => heard(sent).map(|()| None),
            Err(chunk) => Ok(Some(chunk)),
        }
    }

    /// Hands on what was [given back](Running::hear). Waiting here stops reading the socket, which belongs to this stream
    /// alone: its sender is slowed.
    ///
    /// # Errors
    /// Likewise.
    pub(super) async fn hear_later(&self, chunk: Chunk) -> Result<(), Status> {
        match &self.items {
            Some(items) => heard(items.send(chunk).await),
            None => Ok(()),
        }
    }

    /// Notes what the caller allows.
    ///
    /// # Errors
    /// What the caller is told, likewise.
    pub(super) fn allow(&self, amount: Option<Amount>) -> Result<(), Status> {
        let Some(credit) = &self.credit else {
            return Ok(());
        };
        let amount = amount.ok_or_else(|| Status::invalid_argument("credit cannot be read"))?;
        credit.raise(amount);
        Ok(())
    }

    /// Ends it: what comes for it now is passed over, and whatever its handler says now is not said.
    pub(super) fn cut(&mut self) {
        if let Some(caller) = self.caller() {
            caller.leave();
        }
        // Before the items end, so that the handler does not take this for a good end of its stream.
        self.context.cancel();
        self.items = None;
        self.credit = None;
    }
}

fn heard(sent: Sent) -> Result<(), Status> {
    match sent {
        Sent::Well | Sent::Unread => Ok(()),
        Sent::TooMuch => Err(Status::resource_exhausted(TOO_MUCH)),
    }
}
