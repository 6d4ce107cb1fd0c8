//! What a server receives.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::ReplyTo;
use super::said::Said;
use crate::address::Address;
use crate::codec;
use crate::error::{Error, ErrorKind, Result};
use crate::message::{Headers, Message, Text};
use crate::rpc::credit::Amount;
use crate::rpc::framing::Framing;
use crate::rpc::headers as h;
use crate::rpc::items::{Chunk, Items};
use crate::rpc::{Body, CallKind, Context, Request};

/// What a server receives.
#[derive(Debug)]
pub(crate) enum FromCaller {
    /// A request, or a message of a stream: its opening when the id is new on this socket.
    Call(Call),
    /// The caller sends no more, and reads no more.
    End(Text),
    /// The caller sends no more.
    HalfClose(Text),
    /// The caller no longer waits.
    Cancel(Text),
    /// So much of the answers may be sent; `None` when it cannot be read.
    Credit(Text, Option<Amount>),
}

/// A request as it came.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) reply: ReplyTo,
    /// Whether the body is a pack of items, unless it opens a stream.
    packed: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) metadata: Headers,
    pub(crate) body: Bytes,
}

/// Reads what a caller sent.
pub(crate) fn from_caller(message: Message) -> FromCaller {
    let mut said = Said::of(message.headers);
    let (id_header, id) = said.take_id();
    let id = id.or_else(|| said.stream.clone()).unwrap_or_default();
    match said.control.as_deref() {
        Some(h::HALF_CLOSE) => return FromCaller::HalfClose(id),
        Some(h::CANCEL) => return FromCaller::Cancel(id),
        Some(h::CREDIT) => return FromCaller::Credit(id, Amount::from_bytes(&message.body)),
        _ if said.error.is_some() => return FromCaller::End(id),
        _ => {}
    }
    let packed = said.says(h::ITEMS);
    let reply = ReplyTo {
        dialect: said.dialect(),
        id,
        id_header,
        service: said.take_service(),
        endpoint: said.take_endpoint(),
        content_type: said
            .content_type
            .unwrap_or(const { Text::from_static(codec::PROTOBUF) }),
        stream: said.stream.is_some(),
    };
    let timeout = said.timeout.and_then(|ns| ns.parse().ok());
    FromCaller::Call(Call {
        reply,
        packed,
        timeout: timeout.map(Duration::from_nanos),
        metadata: said.metadata,
        body: message.body,
    })
}

impl Call {
    /// The body, without what its content type puts around it.
    pub(crate) fn take_body(&mut self) -> Result<Bytes> {
        Framing::of(&self.reply.content_type).unframe_request(std::mem::take(&mut self.body))
    }

    /// What a message of a stream carries that did not open it.
    pub(crate) fn take_items(&mut self) -> Result<Chunk> {
        let body = std::mem::take(&mut self.body);
        match self.packed {
            true => Items::open(body).map(Chunk::Many).ok_or_else(no_pack),
            false => Framing::of(&self.reply.content_type)
                .unframe_request(body)
                .map(Chunk::One),
        }
    }

    /// What its headers were in, when none of them is for the handler: its answer's go there, too.
    pub(crate) fn take_room(&mut self) -> Headers {
        match self.metadata.is_empty() {
            true => std::mem::take(&mut self.metadata),
            false => Headers::new(),
        }
    }

    /// The request for the handler, which came at `now`.
    pub(crate) fn into_request(self, context: Context, body: Body, now: Instant) -> (ReplyTo, Request) {
        let reply = self.reply;
        let context = context.with_metadata(self.metadata);
        let context = match self.timeout {
            Some(timeout) => context.with_timeout_from(now, timeout),
            None => context,
        };
        let request = Request {
            service: reply.service.clone(),
            endpoint: reply.endpoint.clone(),
            kind: match reply.stream {
                true => CallKind::BidiStream,
                false => CallKind::Unary,
            },
            content_type: reply.content_type.clone(),
            context,
            body,
            idempotent: false,
            noted: None,
        };
        (reply, request)
    }
}

fn no_pack() -> Error {
    Error::new(ErrorKind::Malformed, "a pack of items cannot be read")
}

/// The context of the calls that come from `peer`.
pub(crate) fn server_context(parent: &Context, peer: &Address) -> Context {
    parent.child().with_peer(peer.clone())
}
