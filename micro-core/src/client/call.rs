//! A call is a value: made by the client, adjusted, and awaited.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::client::Client;
use crate::codec::{Codec, Payload};
use crate::message::Text;
use crate::name;
use crate::rpc::{Body, CallKind, Context, Request, Response, Status, Streaming, is_reserved};

/// One message, one answer.
#[derive(Debug)]
pub struct Unary;
/// One message, many answers.
#[derive(Debug)]
pub struct ServerStream;
/// Many messages, one answer.
#[derive(Debug)]
pub struct ClientStream;
/// Many messages, many answers.
#[derive(Debug)]
pub struct BidiStream;

/// A call that was not made yet; awaiting it makes it.
///
/// `Kind` is its shape, `Res` what one answer is.
///
/// # Cancel safety
/// Dropping the future ends the call: its entry is removed, the peer is told, and the handler there is cancelled.
#[must_use = "a call is made when it is awaited"]
#[derive(Debug)]
pub struct Call<Kind, Res> {
    client: Client,
    request: Result<Request, Status>,
    kind: PhantomData<fn(Kind) -> Res>,
}

impl Client {
    /// Sends one message and gets one answer. Without a deadline it has the client's `request_timeout`.
    pub fn unary<Req: Payload, Res: Payload>(
        &self,
        service: impl Into<Text>,
        endpoint: impl Into<Text>,
        request: Req,
    ) -> Call<Unary, Res> {
        let body = request.encode(Req::CODEC).map(Body::One).map_err(Status::from);
        self.typed(service, endpoint, CallKind::Unary, Req::CODEC, body)
    }

    /// Sends one message and gets a stream of answers.
    pub fn server_stream<Req: Payload, Res: Payload>(
        &self,
        service: impl Into<Text>,
        endpoint: impl Into<Text>,
        request: Req,
    ) -> Call<ServerStream, Res> {
        let body = request.encode(Req::CODEC).map(Body::One).map_err(Status::from);
        self.typed(service, endpoint, CallKind::ServerStream, Req::CODEC, body)
    }

    /// Sends a stream of messages and gets one answer.
    pub fn client_stream<Req: Payload, Res: Payload>(
        &self,
        service: impl Into<Text>,
        endpoint: impl Into<Text>,
        requests: Streaming<Req>,
    ) -> Call<ClientStream, Res> {
        let body = Ok(Body::Many(requests.encode(Req::CODEC, Status::from)));
        self.typed(service, endpoint, CallKind::ClientStream, Req::CODEC, body)
    }

    /// Sends a stream of messages and gets a stream of answers, each at its own pace.
    pub fn bidi_stream<Req: Payload, Res: Payload>(
        &self,
        service: impl Into<Text>,
        endpoint: impl Into<Text>,
        requests: Streaming<Req>,
    ) -> Call<BidiStream, Res> {
        let body = Ok(Body::Many(requests.encode(Req::CODEC, Status::from)));
        self.typed(service, endpoint, CallKind::BidiStream, Req::CODEC, body)
    }

    fn typed<Kind, Res>(
        &self,
        service: impl Into<Text>,
        endpoint: impl Into<Text>,
        kind: CallKind,
        codec: Codec,
        body: Result<Body, Status>,
    ) -> Call<Kind, Res> {
        let request = checked(service.into(), endpoint.into(), body)
            .map(|request| request.with_kind(kind).with_content_type(codec.content_type()));
        Call {
            client: self.clone(),
            request,
            kind: PhantomData,
        }
    }
}

fn checked(service: Text, endpoint: Text, body: Result<Body, Status>) -> Result<Request, Status> {
    name::check_service(&service)?;
    name::check_endpoint(&endpoint)?;
    Ok(Request::new(service, endpoint, body?))
}

impl<Kind, Res> Call<Kind, Res> {
    /// Bounds the whole call, with all its attempts; an earlier deadline stays.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.map_context(|context| context.with_timeout(timeout))
    }

    /// Sends a header along: metadata for the handler. A name that the framework uses is refused.
    pub fn header(self, name: impl Into<Text>, value: impl Into<Text>) -> Self {
        let (name, value) = (name.into(), value.into());
        if is_reserved(&name) {
            let message = format!("header {name:?} is the framework's own");
            return Call {
                request: self.request.and(Err(Status::invalid_argument(message))),
                ..self
            };
        }
        self.map_context(|context| {
            let mut metadata = context.metadata().clone();
            metadata.insert(name, value);
            context.with_metadata(metadata)
        })
    }

    /// Makes the call part of another: it inherits what is left of the deadline, the metadata, and is cancelled
    /// with it. Headers and timeouts come after.
    pub fn context(self, context: &Context) -> Self {
        self.map_context(|_| context.child())
    }

    /// Names another content type of the same codec, such as `application/grpc+json` for JSON: a go-micro server
    /// answers in what its caller chose.
    pub fn content_type(self, content_type: impl Into<Text>) -> Self {
        let content_type = content_type.into();
        let request = self.request.and_then(|request| match Codec::of(&content_type)? {
            codec if codec == Codec::of(&request.content_type)? => {
                Ok(request.with_content_type(content_type))
            }
            _ => Err(Status::unimplemented(format!(
                "this body is not encoded as {content_type}"
            ))),
        });
        Call { request, ..self }
    }

    /// Says that the handler may run twice without harm, so that a call that may have run can be made again.
    pub fn idempotent(mut self) -> Self {
        if let Ok(request) = &mut self.request {
            request.idempotent = true;
        }
        self
    }

    fn map_context(mut self, change: impl FnOnce(Context) -> Context) -> Self {
        if let Ok(request) = &mut self.request {
            request.context = change(std::mem::take(&mut request.context));
        }
        self
    }

    async fn send(self) -> Result<(Codec, Response), Status> {
        let response = self.client.send(self.request?).await?;
        Ok((Codec::of(&response.content_type).map_err(unreadable)?, response))
    }

    async fn one(self) -> Result<Res, Status>
    where
        Res: Payload,
    {
        let (codec, response) = self.send().await?;
        Res::decode(codec, response.body.into_one()).map_err(unreadable)
    }

    async fn many(self) -> Result<Streaming<Res>, Status>
    where
        Res: Payload,
    {
        let (codec, response) = self.send().await?;
        Ok(Streaming::decode(response.body.into_many(), codec))
    }
}

/// An answer that cannot be read is the other side's fault, not the caller's.
fn unreadable(error: crate::Error) -> Status {
    Status::internal(format!("the answer cannot be read: {error}"))
}

macro_rules! awaited {
    ($kind:ident, $output:ty, $method:ident) => {
        impl<Res: Payload> IntoFuture for Call<$kind, Res> {
            type Output = Result<$output, Status>;
            type IntoFuture = BoxFuture<'static, Self::Output>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(self.$method())
            }
        }
    };
}

awaited!(Unary, Res, one);
awaited!(ClientStream, Res, one);
awaited!(ServerStream, Streaming<Res>, many);
awaited!(BidiStream, Streaming<Res>, many);
