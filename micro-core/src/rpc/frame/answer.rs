//! What a server says.

use bytes::Bytes;

use crate::error::Result;
use crate::message::{Headers, Message, Text};
use crate::rpc::framing::Framing;
use crate::rpc::headers::{self as h, is_reserved};
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
