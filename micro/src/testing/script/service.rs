//! A service whose answers the test gives.

use std::time::Duration;

use micro_core::{Payload, Request, Response, Result, Status, Streaming};
use tokio::sync::{mpsc, oneshot};
use tower::ServiceExt;

use super::received::{Asked, Received};
use crate::service::{Routes, Service, ServiceBuilder};

/// How long a test waits for a request before it fails.
const LIMIT: Duration = Duration::from_secs(10);

/// How many requests wait to be looked at before their callers wait.
const ROOM: usize = 64;

/// A service that answers as the test says, request by request, whatever is called.
///
/// ```
/// use micro::prelude::*;
/// use micro::testing::Testbed;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> micro::Result<()> {
/// let bed = Testbed::memory();
/// let mut users = bed.scripted_service("users").await?;
/// let call = bed.client().await?.unary("users", "Users.Name", Json(7_u32));
/// let call = tokio::spawn(async move { call.await });
///
/// let request = users.expect::<Json<u32>>("Users.Name").await;
/// assert_eq!(request.message, Json(7));
/// request.reply(Json("Ada".to_owned()));
/// assert_eq!(call.await.unwrap(), Ok(Json("Ada".to_owned())));
/// users.expect_no_more();
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct ScriptedService {
    service: Service,
    requests: mpsc::Receiver<Asked>,
}

impl ScriptedService {
    /// Starts what the builder describes, and takes all its requests. `Debug.Health` is answered as ever.
    ///
    /// # Errors
    /// As [`ServiceBuilder::start`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn start(builder: ServiceBuilder) -> Result<Self> {
        let (sender, requests) = mpsc::channel(ROOM);
        let layer = tower::layer::layer_fn(move |routes: Routes| {
            let sender = sender.clone();
            tower::service_fn(move |request: Request| answer(sender.clone(), routes.clone(), request))
        });
        Ok(ScriptedService {
            service: builder.layer(layer).start().await?,
            requests,
        })
    }

    /// The service itself.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Waits for the next request, which must be for this endpoint and hold one such message.
    ///
    /// # Panics
    /// When it is for another endpoint or does not decode, and when none comes within 10 s.
    ///
    /// # Cancel safety
    /// Safe: a request is either returned or still queued.
    pub async fn expect<Req: Payload>(&mut self, endpoint: &str) -> Received<Req> {
        self.next(endpoint).await.one()
    }

    /// As [`expect`](ScriptedService::expect), of a request that is a stream of such messages.
    ///
    /// # Panics
    /// When it is for another endpoint, and when none comes within 10 s.
    ///
    /// # Cancel safety
    /// Safe: a request is either returned or still queued.
    pub async fn expect_stream<Req: Payload>(&mut self, endpoint: &str) -> Received<Streaming<Req>> {
        self.next(endpoint).await.many()
    }

    /// Says that nothing else was asked.
    ///
    /// # Panics
    /// When a request has come that the test did not expect.
    #[allow(clippy::panic, reason = "a test fails by panicking")]
    pub fn expect_no_more(&mut self) {
        if let Ok(asked) = self.requests.try_recv() {
            panic!(
                "{} was asked for {}, which the test did not expect",
                self.service.name(),
                asked.endpoint()
            );
        }
    }

    #[allow(clippy::panic, reason = "a test fails by panicking")]
    async fn next(&mut self, endpoint: &str) -> Asked {
        let name = self.service.name();
        let asked = tokio::time::timeout(LIMIT, self.requests.recv()).await;
        match asked.ok().flatten() {
            Some(asked) if asked.endpoint() == endpoint => asked,
            Some(asked) => panic!(
                "{name} was asked for {}, and not for {endpoint}",
                asked.endpoint()
            ),
            None => panic!("{name} was not asked for {endpoint} within {LIMIT:?}"),
        }
    }
}

async fn answer(sender: mpsc::Sender<Asked>, routes: Routes, request: Request) -> Result<Response, Status> {
    if request.endpoint == "Debug.Health" {
        return routes.oneshot(request).await;
    }
    let (answer, answered) = oneshot::channel();
    let over = |_| Status::internal("the scripted service has ended");
    let sent = sender.send(Asked { request, answer }).await;
    sent.map_err(|_| Status::internal("the scripted service has ended"))?;
    answered.await.map_err(over)?
}
