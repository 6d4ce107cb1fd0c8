//! What is asked, and what is answered.

use std::any::Any;

use bytes::Bytes;

use crate::codec;
use crate::message::{Headers, Text};
use crate::rpc::{Body, Context};

/// The four shapes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallKind {
    /// One message, one answer.
    Unary,
    /// One message, many answers.
    ServerStream,
    /// Many messages, one answer.
    ClientStream,
    /// Many messages, many answers, each side at its own pace.
    BidiStream,
}

/// One call: on the client's side as it is made, on the server's as it arrives.
#[derive(Debug)]
#[non_exhaustive]
pub struct Request {
    /// The service, by the name it has in the registry.
    pub service: Text,
    /// What is called: `Type.Method`.
    pub endpoint: Text,
    /// Which shape the call has. A server learns from the wire only whether it is unary; all others arrive as
    /// [`CallKind::BidiStream`].
    pub kind: CallKind,
    /// How the bodies are encoded; the answer comes in the same. Default: JSON.
    pub content_type: Text,
    /// Deadline, metadata and cancellation.
    pub context: Context,
    /// What is sent.
    pub body: Body,
    /// Whether the handler may run twice without harm, so that a call that may have run can be made again.
    /// Stays on this side. Default: no.
    pub idempotent: bool,
    /// What its client noted for itself, and finds again below its layers.
    pub(crate) noted: Option<Box<dyn Any + Send + Sync>>,
}

impl Request {
    /// A unary request, in JSON, without a deadline.
    pub fn new(service: impl Into<Text>, endpoint: impl Into<Text>, body: impl Into<Body>) -> Self {
        Request {
            service: service.into(),
            endpoint: endpoint.into(),
            kind: CallKind::Unary,
            content_type: Text::from_static(codec::JSON),
            context: Context::new(),
            body: body.into(),
            idempotent: false,
            noted: None,
        }
    }

    /// All of it, in place of which nothing is left.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::replace(self, Request::new("", "", Bytes::new()))
    }

    /// Sets the shape.
    #[must_use]
    pub fn with_kind(mut self, kind: CallKind) -> Self {
        self.kind = kind;
        self
    }

    /// Sets the encoding of the bodies.
    #[must_use]
    pub fn with_content_type(mut self, content_type: impl Into<Text>) -> Self {
        self.content_type = content_type.into();
        self
    }

    /// Sets deadline, metadata and cancellation.
    #[must_use]
    pub fn with_context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }
}

/// The answer to a call that succeeded.
#[derive(Debug)]
#[non_exhaustive]
pub struct Response {
    /// Names and values beside the body. Of a stream: none.
    pub metadata: Headers,
    /// How the bodies are encoded.
    pub content_type: Text,
    /// What is answered.
    pub body: Body,
}

impl Response {
    /// An answer in JSON.
    pub fn new(body: impl Into<Body>) -> Self {
        Response {
            metadata: Headers::new(),
            content_type: Text::from_static(codec::JSON),
            body: body.into(),
        }
    }

    /// Sets the encoding of the bodies.
    #[must_use]
    pub fn with_content_type(mut self, content_type: impl Into<Text>) -> Self {
        self.content_type = content_type.into();
        self
    }

    /// Sets a header beside the body.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.metadata.insert(name, value);
        self
    }
}
