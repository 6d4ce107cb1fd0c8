//! What a caller receives.

use bytes::Bytes;

use super::said::Said;
use crate::message::{Headers, Message, Text};
use crate::rpc::credit::Amount;
use crate::rpc::framing::Framing;
use crate::rpc::headers as h;
use crate::rpc::{Status, micro_error};

/// An answer's body, without what the content type of its request puts around it.
pub(crate) fn unframed(content_type: &str, body: Bytes) -> Result<Bytes, Status> {
    let unreadable = |error| Status::internal(format!("the answer cannot be read: {error}"));
    Framing::of(content_type).unframe_answer(body).map_err(unreadable)
}

/// Whether a content type puts nothing around what it carries.
pub(crate) fn is_plain(content_type: &str) -> bool {
    Framing::of(content_type) == Framing::Plain
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
    /// A pack of items of a stream.
    Items(Bytes),
    /// So much of a stream may be sent; `None` when it cannot be read.
    Credit(Option<Amount>),
    /// The stream ended well.
    End,
    /// The call failed.
    Failed(Status),
    /// The answer to a ping.
    Pong,
}

/// Reads what a server sent.
pub(crate) fn from_server(message: Message) -> FromServer {
    let Message { headers, body } = message;
    let mut said = Said::of(headers);
    let (_, id) = said.take_id();
    let pong = id.as_deref() == Some(h::PING_ID);
    let id = id.map(|id| id.parse().unwrap_or(NO_CALL));
    if let Some(event) = refusal(pong, id, said.content_type.as_deref(), &body) {
        return FromServer { id, event };
    }
    let event = match said.take_failure().as_deref() {
        None | Some("") if said.says(h::ITEMS) => ServerEvent::Items(body),
        None | Some("") if said.says(h::CREDIT) => ServerEvent::Credit(Amount::from_bytes(&body)),
        None | Some("") => ServerEvent::Body {
            content_type: said.content_type,
            metadata: said.metadata,
            body,
        },
        Some(h::EOS) => ServerEvent::End,
        Some(text) => ServerEvent::Failed(micro_error::decode(text)),
    };
    FromServer { id, event }
}

/// A content type that the server does not know: go-micro says so in plain text, without an id and as no error.
fn refusal(pong: bool, id: Option<u64>, content_type: Option<&str>, body: &[u8]) -> Option<ServerEvent> {
    if pong {
        return Some(ServerEvent::Pong);
    }
    if id.is_some() || content_type != Some("text/plain") {
        return None;
    }
    let text = String::from_utf8_lossy(body);
    let (_, unknown) = text.split_once("nsupported Content-Type: ")?;
    Some(match unknown {
        h::PING => ServerEvent::Pong,
        _ => ServerEvent::Failed(Status::unimplemented(text)),
    })
}
