//! A request that the test is to answer.

use std::fmt;

use futures::StreamExt;
use micro_core::rpc::{Body, BodyStream};
use micro_core::{Codec, Context, Payload, Request, Response, Result, Status, Streaming};
use tokio::sync::oneshot;

type Answer = oneshot::Sender<Result<Response, Status>>;

/// A request that waits for the test's answer. While it is held, its caller waits; dropped without an answer, it ends
/// with [`Internal`](crate::Code::Internal).
pub struct Received<Req> {
    /// What came along: deadline, metadata, cancellation.
    pub context: Context,
    /// What was sent.
    pub message: Req,
    codec: Codec,
    answer: Answer,
}

impl<Req> Received<Req> {
    /// Answers with one message.
    ///
    /// # Panics
    /// When it cannot be encoded as the caller asked.
    pub fn reply<Res: Payload>(self, message: Res) {
        let body = Body::One(expect(message.encode(self.codec)));
        self.finish(body);
    }

    /// Answers with a stream of messages, which may go on for as long as the test likes.
    pub fn reply_stream<Res: Payload>(self, messages: Streaming<Res>) {
        let codec = self.codec;
        let items = messages.map(move |item| item?.encode(codec).map_err(Status::from));
        self.finish(Body::Many(BodyStream::new(items)));
    }

    /// Answers that it failed.
    pub fn fail(self, status: Status) {
        // Whoever no longer waits does not want to know.
        let _ = self.answer.send(Err(status));
    }

    fn finish(self, body: Body) {
        let response = Response::new(body).with_content_type(self.codec.content_type());
        // Whoever no longer waits does not want to know.
        let _ = self.answer.send(Ok(response));
    }
}

impl<Req: fmt::Debug> fmt::Debug for Received<Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

/// A request as it came.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) request: Request,
    pub(super) answer: Answer,
}

impl Asked {
    pub(super) fn endpoint(&self) -> &str {
        &self.request.endpoint
    }

    pub(super) fn one<Req: Payload>(self) -> Received<Req> {
        self.read(|codec, body| expect(Req::decode(codec, body.into_one())))
    }

    pub(super) fn many<Req: Payload>(self) -> Received<Streaming<Req>> {
        self.read(|codec, body| {
            let items = body.into_many();
            Streaming::new(items.map(move |item| Ok(Req::decode(codec, item?)?)))
        })
    }

    fn read<Req>(self, read: impl FnOnce(Codec, Body) -> Req) -> Received<Req> {
        let codec = expect(Codec::of(&self.request.content_type));
        Received {
            context: self.request.context,
            message: read(codec, self.request.body),
            codec,
            answer: self.answer,
        }
    }
}

#[allow(clippy::panic, reason = "a test fails by panicking")]
fn expect<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("not the message that the test expected: {error:?}"))
}
