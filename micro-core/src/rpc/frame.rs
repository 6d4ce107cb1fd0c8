//! Calls as messages on a socket, and back: the vocabulary of go-micro, with ours beside it.
//!
//! | from the caller | headers | body |
//! |---|---|---|
//! | request | Service, Method, Endpoint, ID (both spellings), Content-Type, Accept, Timeout, metadata | the request |
//! | opening of a stream | the same, and `Micro-Stream` | an empty request, which servers discard |
//! | item of a stream | the same as its opening | the item |
//! | end | the same, and `Micro-Error: EOS` | none |
//! | half-close, cancel (ours) | ID, `Micro-Control` | none |
//! | ping (go-micro) | Content-Type that nobody knows, an ID that no call has | none |
//!
//! To a peer of ours, what a request says twice for go-micro's older generations (Method, Accept, the older ID) is left
//! out.
//!
//! | from the server | headers | body |
//! |---|---|---|
//! | answer | Content-Type, ID in the spelling that came, metadata | the answer |
//! | item of a stream | Content-Type, Service, Method, Endpoint, ID | the item |
//! | end, failure | the same, and `Micro-Error` | none |

use std::time::Duration;

use bytes::Bytes;

use crate::address::Address;
use crate::codec::{self, Codec};
use crate::error::Result;
use crate::message::{Headers, Message, Metadata, Text};
use crate::rpc::framing::Framing;
use crate::rpc::headers::{self as h, is_reserved};
use crate::rpc::micro_error;
use crate::rpc::{Body, CallKind, Context, FEATURES_KEY, Request, Status};

/// Which words a peer understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// go-micro's.
    GoMicro,
    /// Ours as well, and go-micro's need not be said twice.
    Ours,
}

impl Dialect {
    /// What a node with this metadata understands.
    pub(crate) fn of(peer: &Metadata) -> Self {
        match peer.contains_key(FEATURES_KEY) {
            true => Dialect::Ours,
            false => Dialect::GoMicro,
        }
    }

    /// What a caller understands that sent these: to a peer of ours, ours says nothing twice.
    fn of_caller(request: &Headers) -> Self {
        match request.get(h::METHOD) {
            None => Dialect::Ours,
            Some(_) => Dialect::GoMicro,
        }
    }

    pub(crate) fn is_ours(self) -> bool {
        self == Dialect::Ours
    }
}

/// Writes the messages of one call.
pub(crate) struct Caller {
    id: u64,
    endpoint: Text,
    framing: Framing,
    /// What every message of a stream repeats.
    headers: Headers,
}

impl Caller {
    pub(crate) fn new(request: &Request, id: u64, dialect: Dialect) -> Self {
        let framing = Framing::of(&request.content_type);
        Caller {
            id,
            endpoint: request.endpoint.clone(),
            framing,
            headers: request_headers(request, id, dialect),
        }
    }

    /// The only message of a call.
    pub(crate) fn into_message(self, body: Bytes) -> Result<Message> {
        let body = self.framed(body)?;
        Ok(Message {
            headers: self.headers,
            body,
        })
    }

    /// One message of several.
    pub(crate) fn message(&self, body: Bytes) -> Result<Message> {
        Ok(Message {
            headers: self.headers.clone(),
            body: self.framed(body)?,
        })
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

    fn framed(&self, body: Bytes) -> Result<Bytes> {
        match self.framing {
            Framing::Plain => Ok(body),
            framing => framing.request(&self.endpoint, &self.id.to_string(), body),
        }
    }
}

fn request_headers(request: &Request, id: u64, dialect: Dialect) -> Headers {
    let id = Text::from(id);
    let metadata = request.context.metadata();
    let mut headers = Headers::with_capacity(10 + metadata.len());
    headers.push(h::SERVICE, request.service.clone());
    headers.push(h::ENDPOINT, request.endpoint.clone());
    headers.push(h::CONTENT_TYPE, request.content_type.clone());
    if !dialect.is_ours() {
        headers.push(h::METHOD, request.endpoint.clone());
        headers.push(h::ACCEPT, request.content_type.clone());
        headers.push(h::ID_OLD, id.clone());
    }
    if let Some(left) = request.context.remaining() {
        headers.push(h::TIMEOUT, nanoseconds(left));
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
}

/// A request as it came.
#[derive(Debug)]
pub(crate) struct Call {
    /// What its caller understands, as far as its words tell.
    pub(crate) dialect: Dialect,
    pub(crate) reply: ReplyTo,
    pub(crate) timeout: Option<Duration>,
    pub(crate) metadata: Headers,
    pub(crate) body: Bytes,
}

/// What an answer repeats of its request.
#[derive(Clone, Debug)]
pub(crate) struct ReplyTo {
    pub(crate) id: Text,
    id_header: &'static str,
    pub(crate) service: Text,
    pub(crate) endpoint: Text,
    pub(crate) content_type: Text,
    pub(crate) stream: bool,
}

/// Reads what a caller sent.
pub(crate) fn from_caller(message: Message) -> FromCaller {
    let Message { mut headers, body } = message;
    let control = headers.remove(h::CONTROL);
    let ended = headers.remove(h::ERROR).is_some();
    let (id_header, id) = take_id(&mut headers);
    let stream = headers.remove(h::STREAM);
    let id = id.or_else(|| stream.clone()).unwrap_or_default();
    match control.as_deref() {
        Some(h::HALF_CLOSE) => return FromCaller::HalfClose(id),
        Some(h::CANCEL) => return FromCaller::Cancel(id),
        _ if ended => return FromCaller::End(id),
        _ => {}
    }
    let dialect = Dialect::of_caller(&headers);
    let reply = ReplyTo {
        id,
        id_header,
        service: take(&mut headers, h::SERVICE, "X-Micro-Service"),
        endpoint: take_endpoint(&mut headers),
        content_type: headers
            .remove(h::CONTENT_TYPE)
            .unwrap_or(Text::from_static(codec::PROTOBUF)),
        stream: stream.is_some(),
    };
    let timeout = headers
        .remove(h::TIMEOUT)
        .and_then(|ns| ns.parse().ok())
        .map(Duration::from_nanos);
    headers.retain(|name, _| !is_reserved(name));
    FromCaller::Call(Call {
        dialect,
        reply,
        timeout,
        metadata: headers,
        body,
    })
}

impl Call {
    /// The body, without what its content type puts around it.
    pub(crate) fn take_body(&mut self) -> Result<Bytes> {
        Framing::of(&self.reply.content_type).unframe_request(std::mem::take(&mut self.body))
    }

    /// The request for the handler.
    pub(crate) fn into_request(self, context: Context, body: Body) -> Request {
        let kind = if self.reply.stream {
            CallKind::BidiStream
        } else {
            CallKind::Unary
        };
        let context = context.with_metadata(self.metadata);
        let context = match self.timeout {
            Some(timeout) => context.with_timeout(timeout),
            None => context,
        };
        Request::new(self.reply.service, self.reply.endpoint, body)
            .with_kind(kind)
            .with_content_type(self.reply.content_type)
            .with_context(context)
    }
}

impl ReplyTo {
    /// The answer to a unary request.
    pub(crate) fn answer(&self, content_type: Text, metadata: Headers, body: Bytes) -> Result<Message> {
        let mut headers = Headers::with_capacity(2 + metadata.len());
        headers.push(h::CONTENT_TYPE, content_type);
        headers.push(self.id_header, self.id.clone());
        headers.extend(metadata.into_iter().filter(|(name, _)| !is_reserved(name)));
        Ok(Message {
            headers,
            body: self.framing().answer(&self.id, body)?,
        })
    }

    /// One item of a stream.
    pub(crate) fn item(&self, body: Bytes) -> Result<Message> {
        Ok(Message {
            headers: self.echo(),
            body: self.framing().answer(&self.id, body)?,
        })
    }

    /// The end of a stream.
    pub(crate) fn end(&self) -> Message {
        self.error(h::EOS.into(), Bytes::new())
    }

    /// The end of any call, with what it ended with.
    pub(crate) fn failure(&self, status: &Status) -> Message {
        let error = micro_error::encode(status, &self.service);
        let body = self.framing().failure(&self.id, &error);
        self.error(error.into(), body)
    }

    fn error(&self, error: Text, body: Bytes) -> Message {
        let mut headers = self.echo();
        if self.stream {
            headers.push(h::STREAM, self.id.clone());
        }
        headers.push(h::ERROR, error);
        Message { headers, body }
    }

    fn framing(&self) -> Framing {
        Framing::of(&self.content_type)
    }

    fn echo(&self) -> Headers {
        let mut headers = Headers::with_capacity(7);
        headers.push(h::CONTENT_TYPE, self.content_type.clone());
        headers.push(h::SERVICE, self.service.clone());
        headers.push(h::METHOD, self.endpoint.clone());
        headers.push(h::ENDPOINT, self.endpoint.clone());
        headers.push(self.id_header, self.id.clone());
        headers
    }
}

/// An answer's body, without what the content type of its request puts around it.
pub(crate) fn unframed(content_type: &str, body: Bytes) -> Result<Bytes, Status> {
    let unreadable = |error| Status::internal(format!("the answer cannot be read: {error}"));
    Framing::of(content_type).unframe_answer(body).map_err(unreadable)
}

/// An id that no call of ours has: they count from 0. What comes with one that is no number is no answer to us.
const NO_CALL: u64 = u64::MAX;

/// What a caller receives.
#[derive(Debug)]
pub(crate) struct FromServer {
    /// Which call it answers; go-micro leaves it out of some answers.
    pub(crate) id: Option<u64>,
    pub(crate) event: ServerEvent,
}

/// What the server says.
#[derive(Debug)]
pub(crate) enum ServerEvent {
    /// An answer, or an item of a stream.
    Body {
        content_type: Option<Text>,
        metadata: Headers,
        body: Bytes,
    },
    /// The stream ended well.
    End,
    /// The call failed.
    Failed(Status),
    /// The answer to a ping.
    Pong,
}

/// Reads what a server sent.
pub(crate) fn from_server(message: Message) -> FromServer {
    let Message { mut headers, body } = message;
    let (_, id) = take_id(&mut headers);
    let pong = id.as_deref() == Some(h::PING_ID);
    let id = id.map(|id| id.parse().unwrap_or(NO_CALL));
    if let Some(event) = refusal(pong, id, &headers, &body) {
        return FromServer { id, event };
    }
    let error = headers
        .remove(h::ERROR)
        .or_else(|| headers.remove("X-Micro-Error"));
    let event = match error.as_deref() {
        None | Some("") => {
            let content_type = headers.remove(h::CONTENT_TYPE);
            headers.retain(|name, _| !is_reserved(name));
            ServerEvent::Body {
                content_type,
                metadata: headers,
                body,
            }
        }
        Some(h::EOS) => ServerEvent::End,
        Some(text) => ServerEvent::Failed(micro_error::decode(text)),
    };
    FromServer { id, event }
}

/// A content type that the server does not know: go-micro says so in plain text, without an id and as no error.
fn refusal(pong: bool, id: Option<u64>, headers: &Headers, body: &[u8]) -> Option<ServerEvent> {
    if pong {
        return Some(ServerEvent::Pong);
    }
    if id.is_some() || headers.get(h::CONTENT_TYPE) != Some("text/plain") {
        return None;
    }
    let text = String::from_utf8_lossy(body);
    let (_, unknown) = text.split_once("nsupported Content-Type: ")?;
    Some(match unknown {
        h::PING => ServerEvent::Pong,
        _ => ServerEvent::Failed(Status::unimplemented(text)),
    })
}

/// The id, and the header to echo it in: the new spelling where both came.
fn take_id(headers: &mut Headers) -> (&'static str, Option<Text>) {
    let old = headers.remove(h::ID_OLD);
    match headers.remove(h::ID).or_else(|| headers.remove("X-Micro-ID")) {
        Some(id) => (h::ID, Some(id)),
        None if old.is_some() => (h::ID_OLD, old),
        None => (h::ID, headers.remove("X-Micro-Id")),
    }
}

fn take_endpoint(headers: &mut Headers) -> Text {
    let method = take(headers, h::METHOD, "X-Micro-Method");
    let endpoint = take(headers, h::ENDPOINT, "X-Micro-Endpoint");
    if endpoint.is_empty() { method } else { endpoint }
}

fn take(headers: &mut Headers, name: &str, fallback: &str) -> Text {
    headers
        .remove(name)
        .or_else(|| headers.remove(fallback))
        .unwrap_or_default()
}

/// The context of a call that came from `peer`.
pub(crate) fn server_context(parent: &Context, peer: &Address) -> Context {
    parent.child().with_peer(peer.clone())
}

#[cfg(test)]
mod tests;
