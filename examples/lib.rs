//! What the examples share: the interface of the greeter, and how all of them log.

pub mod routeguide;

use futures::future::BoxFuture;
use micro::{Context, Json, Status, Streaming};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tracing_subscriber::EnvFilter;

/// Asks to be greeted.
#[derive(Debug, Serialize, Deserialize)]
pub struct HelloRequest {
    /// Who.
    pub name: String,
}

/// A greeting.
#[derive(Debug, Serialize, Deserialize)]
pub struct HelloReply {
    /// What is said.
    pub message: String,
}

/// Asks for numbers.
#[derive(Debug, Serialize, Deserialize)]
pub struct CountRequest {
    /// The last number; the first is 1.
    pub to: u32,
}

/// Tells that somebody was greeted: what is published on the topic `greetings`.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Greeted {
    /// Who.
    pub name: String,
}

/// What the greeter answers to: `greeter-server` serves it, and `greeter-client` calls it.
#[micro::service]
pub trait Greeter {
    /// Greets a person by name.
    ///
    /// # Errors
    /// `InvalidArgument` when the name is empty.
    async fn hello(&self, ctx: &Context, req: HelloRequest) -> Result<HelloReply, Status>;

    /// Counts up to a number, one answer at a time.
    async fn count(&self, ctx: &Context, req: CountRequest) -> Result<Streaming<u32>, Status>;
}

/// Greets in English.
#[derive(Debug)]
pub struct English;

impl Greeter for English {
    async fn hello(&self, _: &Context, req: HelloRequest) -> Result<HelloReply, Status> {
        if req.name.is_empty() {
            return Err(Status::invalid_argument("a name is not empty"));
        }
        let message = format!("Hello, {}!", req.name);
        Ok(HelloReply { message })
    }

    async fn count(&self, _: &Context, req: CountRequest) -> Result<Streaming<u32>, Status> {
        Ok((1..=req.to).collect())
    }
}

/// A subscriber that hands its events to a channel.
pub fn forward_to<E: Send + 'static>(
    channel: mpsc::Sender<E>,
) -> impl Fn(Context, Json<E>) -> BoxFuture<'static, Result<(), Status>> {
    move |_, Json(event)| {
        let channel = channel.clone();
        Box::pin(async move {
            let sent = channel.send(event).await;
            sent.map_err(|_| Status::unavailable("the channel is closed"))
        })
    }
}

/// Logs to standard error, from this level on; `RUST_LOG=debug` asks for more.
pub fn log_from(level: &str) {
    // What the NATS client says of a connection, micro says too.
    let quiet = || EnvFilter::new(format!("{level},async_nats=off"));
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| quiet());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
}
