//! A service in a process of its own, until Ctrl-C or SIGTERM; `greeter-client` calls it.
//!
//! With a nats-server at 127.0.0.1:4222 (`$(cargo xtask nats) --addr 127.0.0.1` starts one):
//!
//! ```text
//! cargo run --example greeter-server -- --transport=nats --broker=nats --registry=nats
//! cargo run --example greeter-client -- --transport=nats --broker=nats --registry=nats
//! ```
//!
//! Start several: the client's calls go to one of them, and to another when that one is gone. `--help` lists the flags.

// This is a program: its output is its job.
#![allow(clippy::print_stdout)]

use micro::prelude::*;
use micro_examples::{CountRequest, English, Greeted, Greeter, GreeterServer, HelloReply, HelloRequest};

/// Says on the terminal what it is asked.
struct Loud;

impl Greeter for Loud {
    async fn hello(&self, ctx: &Context, req: HelloRequest) -> Result<HelloReply, Status> {
        println!("called     to greet {:?}", req.name);
        English.hello(ctx, req).await
    }

    async fn count(&self, ctx: &Context, req: CountRequest) -> Result<Streaming<u32>, Status> {
        println!("called     to count to {}", req.to);
        English.count(ctx, req).await
    }
}

async fn on_greeted(_: Context, Json(event): Json<Greeted>) -> Result<(), Status> {
    println!("heard      that {} was greeted", event.name);
    Ok(())
}

#[tokio::main]
async fn main() -> micro::Result<()> {
    micro_examples::log_from("warn");
    let service = Service::from_args("greeter")?
        .version("1.0.0")
        .serve(GreeterServer::new(Loud))
        .subscribe("greetings", on_greeted)
        .start()
        .await?;
    println!(
        "serving    {} {} as {}",
        service.name(),
        service.version(),
        service.id()
    );
    let report = service.run().await?;
    println!(
        "stopped    {} requests drained, {} cut",
        report.requests_drained, report.requests_cut
    );
    Ok(())
}
