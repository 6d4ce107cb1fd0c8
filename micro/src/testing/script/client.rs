//! A caller that says what the test tells it to.

use bytes::Bytes;
use futures::{StreamExt, stream};
use micro_core::message::Text;
use micro_core::rpc::{Body, BodyStream, CallKind};
use micro_core::{Address, DialOptions, Error, ErrorKind, Request, Result, Socket, Status};
use tokio::sync::mpsc;

use crate::backends::Backends;

/// How many items of a stream wait to be sent.
const ROOM: usize = 16;

/// A caller of one service that says what no well-behaved client would: bodies that do not decode, unknown content
/// types, streams that are left in the middle, and whatever fits into a socket.
///
/// ```
/// use micro::prelude::*;
/// use micro::testing::Testbed;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> micro::Result<()> {
/// let bed = Testbed::memory();
/// let double = async |_: Context, Json(number): Json<u32>| Ok(Json(number * 2));
/// let _service = bed.service("numbers").serve(Router::new().unary("Numbers.Double", double)).start().await?;
/// let caller = bed.scripted_client("numbers").await?;
/// let refused = caller.unary("Numbers.Double", "application/json", "{").await.unwrap_err();
/// assert_eq!(refused.code(), Code::InvalidArgument);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct ScriptedClient {
    backends: Backends,
    service: String,
}

impl ScriptedClient {
    pub(in crate::testing) fn new(backends: Backends, service: &str) -> Self {
        ScriptedClient {
            backends,
            service: service.to_owned(),
        }
    }

    /// Sends one body as it is, and gets one as it came.
    ///
    /// # Errors
    /// What the call ended with.
    ///
    /// # Cancel safety
    /// Dropping the future cancels the call.
    pub async fn unary(
        &self,
        endpoint: &str,
        content_type: &str,
        body: impl Into<Bytes> + Send,
    ) -> Result<Bytes, Status> {
        let request = self.request(endpoint, content_type, Body::One(body.into()));
        let response = self.backends.client().send(request).await?;
        Ok(response.body.into_one())
    }

    /// Opens a stream in both directions. What is sent and when, the test says.
    ///
    /// # Errors
    /// What the call ended with.
    ///
    /// # Cancel safety
    /// Dropping the future cancels the call.
    pub async fn stream(&self, endpoint: &str, content_type: &str) -> Result<ScriptedStream, Status> {
        let (sender, queue) = mpsc::channel(ROOM);
        let items = stream::unfold(queue, async |mut queue| Some((queue.recv().await?, queue)));
        let body = Body::Many(BodyStream::new(items.map(Ok)));
        let request = self
            .request(endpoint, content_type, body)
            .with_kind(CallKind::BidiStream);
        let response = self.backends.client().send(request).await?;
        Ok(ScriptedStream {
            sender: Some(sender),
            answers: response.body.into_many(),
        })
    }

    /// Dials the first node of the service, for messages that are no calls at all.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when nobody serves it; else as the transport's dial.
    ///
    /// # Cancel safety
    /// Dropping the future leaves no socket behind.
    pub async fn dial(&self) -> Result<Socket> {
        let records = self.backends.registry().get(&self.service).await?;
        let node = records.into_iter().flat_map(|record| record.nodes).next();
        let node = node.ok_or_else(|| Error::new(ErrorKind::NotFound, "the service has no nodes"))?;
        let options = DialOptions::default().with_peer(node.metadata);
        self.backends
            .transport()
            .dial(&Address::new(node.address)?, options)
            .await
    }

    fn request(&self, endpoint: &str, content_type: &str, body: Body) -> Request {
        Request::new(self.service.clone(), endpoint.to_owned(), body)
            .with_content_type(Text::from(content_type.to_owned()))
    }
}

/// A stream that was opened, item by item. Dropping it cancels the call.
#[derive(Debug)]
pub struct ScriptedStream {
    sender: Option<mpsc::Sender<Bytes>>,
    answers: BodyStream,
}

impl ScriptedStream {
    /// Sends one item as it is.
    ///
    /// # Errors
    /// [`Closed`](ErrorKind::Closed) after [`finish`](ScriptedStream::finish), and when the call has ended.
    ///
    /// # Cancel safety
    /// The item is sent whole or not at all.
    pub async fn send(&self, item: impl Into<Bytes> + Send) -> Result<()> {
        let closed = || Error::closed("the stream has ended");
        let sender = self.sender.as_ref().ok_or_else(closed)?;
        sender.send(item.into()).await.map_err(|_| closed())
    }

    /// Sends no more, and still receives.
    pub fn finish(&mut self) {
        self.sender = None;
    }

    /// The next answer as it came; `None` at the end.
    ///
    /// # Errors
    /// What the call ended with.
    ///
    /// # Cancel safety
    /// Safe: an answer is either returned or still queued.
    pub async fn recv(&mut self) -> Option<Result<Bytes, Status>> {
        self.answers.next().await
    }
}
