//! A picture goes through three services, each of which calls the next: all of them know how long its sender still
//! waits, and which trace it belongs to.
//!
//! With nothing installed, everything in memory; over NATS, with a server at 127.0.0.1:4222:
//!
//! ```text
//! cargo run --example pipeline
//! cargo run --example pipeline -- --transport=nats --broker=nats --registry=nats
//! ```

// This is a program: its output is its job.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use micro::observe::TraceContext;
use micro::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

/// What one stage takes for a thousand pixels.
const WORK: Duration = Duration::from_millis(20);

/// What is worked on.
#[derive(Debug, Serialize, Deserialize)]
struct Picture {
    kilopixels: u32,
    /// What was done to it.
    history: Vec<String>,
}

/// One stage of the pipeline. Each service answers to it, under a name of its own.
#[micro::service]
trait Stage {
    /// Does its part, and has the next stage do the rest.
    async fn process(&self, ctx: &Context, picture: Picture) -> Result<Picture, Status>;
}

/// A stage, and the one after it.
struct Worker {
    name: &'static str,
    next: Option<StageClient>,
}

impl Stage for Worker {
    async fn process(&self, ctx: &Context, mut picture: Picture) -> Result<Picture, Status> {
        println!("{:<9}  {}", self.name, said_by(ctx));
        let mut watched = Watched {
            name: self.name,
            done: false,
        };
        sleep(WORK * picture.kilopixels).await;
        picture.history.push(self.name.to_owned());
        if let Some(next) = &self.next {
            // The context takes it all along: what is left of the deadline, the trace, and that the sender may go away.
            picture = next.process(picture).context(ctx).await?;
        }
        watched.done = true;
        Ok(picture)
    }
}

/// What a stage knows of the call.
fn said_by(ctx: &Context) -> String {
    let left = ctx.remaining().map_or(0, |left| left.as_millis());
    let trace = TraceContext::of(ctx.metadata());
    let trace = trace.as_ref().map_or("none", TraceContext::trace_id);
    format!("{left:>4} ms left, trace {trace}")
}

/// Says so when a handler ends before it is done.
struct Watched {
    name: &'static str,
    done: bool,
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !self.done {
            println!("{:<9}  cut off: nobody waits any more", self.name);
        }
    }
}

#[tokio::main]
async fn main() -> micro::Result<()> {
    micro_examples::log_from("warn");
    let backends = Backends::from_args("pipeline").await?;
    // In one process here, and the same in three.
    let services = [
        start("upload", Some("resize"), &backends).await?,
        start("resize", Some("archive"), &backends).await?,
        start("archive", None, &backends).await?,
    ];
    let upload = stage("upload", &backends);

    send(&upload, 1, Duration::from_secs(5)).await;
    send(&upload, 10, Duration::from_millis(300)).await; // which is too much for that time
    for service in services {
        service.shutdown().await?;
    }
    Ok(())
}

async fn start(
    name: &'static str,
    next: Option<&'static str>,
    backends: &Backends,
) -> micro::Result<Service> {
    let next = next.map(|next| stage(next, backends));
    Service::builder(name)
        .transport(backends.transport().clone())
        .broker(backends.broker().clone())
        .registry(backends.registry().clone())
        .serve(StageServer::new(Worker { name, next }))
        .start()
        .await
}

fn stage(name: &'static str, backends: &Backends) -> StageClient {
    StageClient::new(backends.client()).with_service(name)
}

/// Sends a picture through, as part of a new trace, and waits so long.
async fn send(upload: &StageClient, kilopixels: u32, limit: Duration) {
    let (trace, span) = (fastrand::u128(1..), fastrand::u64(1..));
    let context = Context::new()
        .with_timeout(limit)
        .with_header("traceparent", format!("00-{trace:032x}-{span:016x}-01"));
    println!("sent       {}", said_by(&context));
    let picture = Picture {
        kilopixels,
        history: Vec::new(),
    };
    match upload.process(picture).context(&context).await {
        Ok(picture) => println!("done       {}", picture.history.join(", ")),
        Err(status) => println!("failed     {status}"),
    }
}
