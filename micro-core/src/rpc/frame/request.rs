//! What a caller says.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::Dialect;
use crate::codec::Codec;
use crate::error::Result;
use crate::message::{Headers, Message, Text};
use crate::rpc::credit::Amount;
use crate::rpc::framing::Framing;
use crate::rpc::headers::{self as h, is_reserved};
use crate::rpc::items::Chunk;
use crate::rpc::{CallKind, Request};

/// The only message of a unary call that is made now.
pub(crate) fn request(
    request: &Request,
    id: u64,
    dialect: Dialect,
    body: Bytes,
    now: Instant,
) -> Result<Message> {
    Ok(Message {
        headers: request_headers(request, id, dialect, now),
        body: framed(Framing::of(&request.content_type), &request.endpoint, id, body)?,
    })
}

/// Writes the messages of one stream.
pub(crate) struct Caller {
    id: u64,
    endpoint: Text,
    framing: Framing,
    packs: bool,
    /// What every message repeats.
    headers: Headers,
}

impl Caller {
    pub(crate) fn new(request: &Request, id: u64, dialect: Dialect) -> Self {
        let framing = Framing::of(&request.content_type);
        let packs = dialect.packs(framing);
        let mut headers = request_headers(request, id, dialect, Instant::now());
        if packs {
            headers.push(h::CONTROL, h::ITEMS);
        }
        Caller {
            id,
            endpoint: request.endpoint.clone(),
            framing,
            packs,
            headers,
        }
    }

    /// What opens the stream.
    pub(crate) fn opening(&self, body: Bytes) -> Result<Message> {
        Ok(Message {
            headers: self.headers.clone(),
            body: framed(self.framing, &self.endpoint, self.id, body)?,
        })
    }

    /// Whether items travel in packs, and within credit.
    pub(crate) fn packs(&self) -> bool {
        self.packs
    }

    /// Items: one, or several for a server that understands packs.
    pub(crate) fn items(&self, chunk: Chunk) -> Result<Message> {
        match chunk {
            Chunk::One(body) if !self.packs => self.opening(body),
            Chunk::One(body) => Ok(self.brief(body)),
            Chunk::Many(items) => Ok(self.brief(items.into_bytes()).with_header(h::CONTROL, h::ITEMS)),
        }
    }

    /// A message that repeats nothing of the opening.
    fn brief(&self, body: Bytes) -> Message {
        Message::new(body)
            .with_header(h::STREAM, self.id)
            .with_header(h::ID, self.id)
    }

    /// The end of a stream, said by the caller.
    pub(crate) fn end(&self) -> Message {
        let mut headers = self.headers.clone();
        headers.push(h::ERROR, h::EOS);
        Message {
            headers,
            body: Bytes::new(),
        }
    }
}

fn framed(framing: Framing, endpoint: &str, id: u64, body: Bytes) -> Result<Bytes> {
    match framing {
        Framing::Plain => Ok(body),
        framing => framing.request(endpoint, &Text::from(id), body),
    }
}

fn request_headers(request: &Request, id: u64, dialect: Dialect, now: Instant) -> Headers {
    let id = Text::from(id);
    let metadata = request.context.metadata();
    // One more for what a transport may add.
    let mut headers = Headers::with_capacity(if dialect.is_ours() { 6 } else { 9 } + metadata.len());
    headers.push(h::SERVICE, request.service.clone());
    headers.push(h::ENDPOINT, request.endpoint.clone());
    headers.push(h::CONTENT_TYPE, request.content_type.clone());
    if !dialect.is_ours() {
        headers.push(h::METHOD, request.endpoint.clone());
        headers.push(h::ACCEPT, request.content_type.clone());
        headers.push(h::ID_OLD, id.clone());
    }
    if let Some(deadline) = request.context.deadline() {
        headers.push(h::TIMEOUT, nanoseconds(deadline.saturating_duration_since(now)));
    }
    if request.kind != CallKind::Unary {
        headers.push(h::STREAM, id.clone());
    }
    headers.push(h::ID, id);
    for (name, value) in metadata.iter().filter(|(name, _)| !is_reserved(name)) {
        headers.insert(name.to_owned(), value.to_owned());
    }
    headers
}

/// go-micro reads a signed number; 292 years are as good as any longer time.
fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).map_or(i64::MAX as u64, |ns| ns.min(i64::MAX as u64))
}

/// An empty request of this content type, as go-micro opens streams with; it is framed like any other.
pub(crate) fn empty_request(content_type: &str) -> Bytes {
    match Codec::of(content_type) {
        Ok(Codec::Json) => Bytes::from_static(b"{}\n"),
        _ => Bytes::new(),
    }
}

/// The caller sends no more, and still reads.
pub(crate) fn half_close(id: u64) -> Message {
    control(id, h::HALF_CLOSE)
}

/// The caller no longer waits.
pub(crate) fn cancel(id: u64) -> Message {
    control(id, h::CANCEL)
}

/// The server may send so much in all.
pub(crate) fn credit(id: u64, amount: Amount) -> Message {
    Message {
        body: amount.to_bytes(),
        ..control(id, h::CREDIT)
    }
}

/// Asks a go-micro server whether it is there, and keeps its end of the socket, which it would forget after 60 s
/// without a message.
///
/// It has no word for this, but it answers at once, and without a handler, that it does not know a content type.
pub(crate) fn ping() -> Message {
    Message::default()
        .with_header(h::SERVICE, h::PING_ID)
        .with_header(h::METHOD, "Ping.Ping")
        .with_header(h::ENDPOINT, "Ping.Ping")
        .with_header(h::CONTENT_TYPE, h::PING)
        .with_header(h::ID_OLD, h::PING_ID)
        .with_header(h::ID, h::PING_ID)
}

fn control(id: u64, what: &'static str) -> Message {
    Message::default()
        .with_header(h::ID, id)
        .with_header(h::CONTROL, what)
}
