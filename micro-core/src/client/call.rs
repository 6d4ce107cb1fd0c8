//! A call is a value: made by the client, adjusted, and awaited.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::Instant;

use crate::client::plan::Plan;
use crate::client::{Client, Hedge};
use crate::codec::{Codec, Marshaller};
use crate::message::Text;
use crate::rpc::{
    BidiStream, ClientStream, Context, Request, Response, ServerStream, Status, Streaming, Unary, is_reserved,
};
use crate::selector::Strategy;

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
    plan: Plan,
    /// What bounds it when nothing else does.
    default_timeout: Option<Duration>,
    response: Marshaller<Res>,
    kind: PhantomData<fn(Kind)>,
}

impl<Kind, Res> Call<Kind, Res> {
    pub(super) fn new(client: Client, request: Result<Request, Status>, response: Marshaller<Res>) -> Self {
        Call {
            client,
            request,
            plan: Plan::default(),
            default_timeout: None,
            response,
            kind: PhantomData,
        }
    }

    /// Bounds the whole call, with all its attempts; an earlier deadline stays.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.map_context(|context| context.with_timeout(timeout))
    }

    /// Bounds the whole call, with all its attempts, by a point in time; an earlier deadline stays.
    pub fn deadline(self, deadline: impl Into<Instant>) -> Self {
        self.map_context(|context| context.with_deadline(deadline.into()))
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
        self.map_context(|context| context.with_header(name, value))
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

    /// Makes the call again up to this many times after it may have run, in place of the client's number, and says
    /// that this does no harm, as [`idempotent`](Call::idempotent) does. With 0 it is not made again.
    ///
    /// A call that was never delivered is made again on every other node, whatever this says.
    pub fn retry(mut self, times: u32) -> Self {
        self.plan.retries = Some(times);
        self.idempotent()
    }

    /// Makes the call on a second node too when the first takes long, and says that this does no harm, as
    /// [`idempotent`](Call::idempotent) does. For unary calls.
    pub fn hedge(mut self, hedge: Hedge) -> Self {
        self.plan.hedge = Some(Box::new(hedge));
        self.idempotent()
    }

    /// Calls this node only, by the id that it has in the registry. `NotFound` when the service has no such node.
    pub fn node(mut self, id: impl Into<Text>) -> Self {
        self.plan.choice.node = Some(id.into());
        self
    }

    /// Calls nodes of this version only. `NotFound` when the service has none.
    pub fn version(mut self, version: impl Into<Text>) -> Self {
        self.plan.choice.version = Some(version.into());
        self
    }

    /// Calls nodes only whose metadata in the registry says this, and everything else that was asked for so. `NotFound`
    /// when the service has none.
    pub fn label(mut self, key: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.plan.choice.labels.push((key.into(), value.into()));
        self
    }

    /// Says what the call is about, such as a user or a tenant, to strategies that go by it:
    /// [`ConsistentHash`](crate::selector::ConsistentHash) sends all calls with one key to one node. Stays on this side.
    pub fn key(mut self, key: impl Into<Text>) -> Self {
        self.plan.choice.key = Some(key.into());
        self
    }

    /// Picks the node by this strategy, in place of the client's. What a strategy counts, it counts for all calls that
    /// it is given to.
    pub fn select(mut self, strategy: Arc<dyn Strategy>) -> Self {
        self.plan.choice.strategy = Some(strategy);
        self
    }

    /// Bounds the call if it has no deadline when it is made.
    pub(super) fn default_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.default_timeout = timeout;
        self
    }

    fn map_context(mut self, change: impl FnOnce(Context) -> Context) -> Self {
        if let Ok(request) = &mut self.request {
            request.context = change(std::mem::take(&mut request.context));
        }
        self
    }

    async fn send(&mut self) -> Result<(Codec, Response), Status> {
        let request = self.request.as_mut().map_err(|status| status.clone())?;
        if let (Some(timeout), None) = (self.default_timeout, request.context.deadline()) {
            request.context = std::mem::take(&mut request.context).with_timeout(timeout);
        }
        let response = self.client.send_to(request, &mut self.plan).await?;
        Ok((Codec::of(&response.content_type).map_err(unreadable)?, response))
    }

    async fn one(&mut self) -> Result<Res, Status> {
        let (codec, response) = self.send().await?;
        self.response
            .decode(codec, response.body.into_one())
            .map_err(unreadable)
    }

    async fn many(&mut self) -> Result<Streaming<Res>, Status>
    where
        Res: Send + 'static,
    {
        let (codec, response) = self.send().await?;
        Ok(Streaming::decode(
            response.body.into_many(),
            codec,
            self.response,
            unreadable,
        ))
    }
}

/// An answer that cannot be read is the other side's fault, not the caller's.
fn unreadable(error: crate::Error) -> Status {
    Status::internal(format!("the answer cannot be read: {error}"))
}

macro_rules! awaited {
    ($kind:ident, $output:ty, $method:ident) => {
        impl<Res: Send + 'static> IntoFuture for Call<$kind, Res> {
            type Output = Result<$output, Status>;
            type IntoFuture = BoxFuture<'static, Self::Output>;

            fn into_future(mut self) -> Self::IntoFuture {
                // Here the call stays, and is not copied from future to future.
                Box::pin(async move { self.$method().await })
            }
        }
    };
}

awaited!(Unary, Res, one);
awaited!(ClientStream, Res, one);
awaited!(ServerStream, Streaming<Res>, many);
awaited!(BidiStream, Streaming<Res>, many);
