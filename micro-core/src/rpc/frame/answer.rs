//! What a server says.

use bytes::Bytes;

use super::Dialect;
use crate::error::Result;
use crate::message::{Headers, Message, Text};
use crate::rpc::credit::Amount;
use crate::rpc::framing::Framing;
use crate::rpc::headers::{self as h, is_reserved};
use crate::rpc::items::Chunk;
use crate::rpc::{Status, micro_error};

/// What an answer repeats of its request.
#[derive(Clone, Debug)]
pub(crate) struct ReplyTo {
    pub(crate) id: Text,
    pub(super) id_header: &'static str,
    pub(crate) service: Text,
    pub(crate) endpoint: Text,
    pub(crate) content_type: Text,
    pub(crate) stream: bool,
    /// What the caller understands, as far as its words tell.
    pub(crate) dialect: Dialect,
}

impl ReplyTo {
    /// The answer to a unary request. Its headers come to where the metadata are.
    pub(crate) fn answer(&self, content_type: Text, metadata: Headers, body: Bytes) -> Result<Message> {
        let mut headers = metadata;
        headers.retain(|name, _| !is_reserved(name));
        headers.reserve(2);
        headers.push(h::CONTENT_TYPE, content_type);
        headers.push(self.id_header, self.id.clone());
        Ok(Message {
            headers,
            body: self.framing().answer(&self.id, body)?,
        })
    }

    /// Whether the items of the stream travel in packs, and within credit.
    pub(crate) fn packs(&self) -> bool {
        self.dialect.packs(self.framing())
    }

    /// Items of a stream: one, or several for a caller that understands packs.
    pub(crate) fn items(&self, chunk: Chunk) -> Result<Message> {
        let mut headers = match self.packs() {
            true => self.brief(),
            false => self.echo(),
        };
        let body = match chunk {
            Chunk::One(body) => self.framing().answer(&self.id, body)?,
            Chunk::Many(items) => {
                headers.push(h::CONTROL, h::ITEMS);
                items.into_bytes()
            }
        };
        Ok(Message { headers, body })
    }

    /// The caller may send so much of the stream in all.
    pub(crate) fn credit(&self, amount: Amount) -> Message {
        let mut headers = self.brief();
        headers.push(h::CONTROL, h::CREDIT);
        Message {
            headers,
            body: amount.to_bytes(),
        }
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

    fn brief(&self) -> Headers {
        Headers::from_iter([(self.id_header, self.id.clone())])
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
