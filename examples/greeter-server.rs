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
use micro_examples::{CountRequest, Greeted, HelloReply, HelloRequest};

async fn hello(_: Context, Json(request): Json<HelloRequest>) -> Result<Json<HelloReply>, Status> {
    println!("called     to greet {:?}", request.name);
    if request.name.is_empty() {
        return Err(Status::invalid_argument("a name is not empty"));
    }
    let message = format!("Hello, {}!", request.name);
    Ok(Json(HelloReply { message }))
}

async fn count(_: Context, Json(request): Json<CountRequest>) -> Result<Streaming<Json<u32>>, Status> {
    println!("called     to count to {}", request.to);
    Ok((1..=request.to).map(Json).collect())
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
        .serve(
            Router::new()
                .unary("Greeter.Hello", hello)
                .server_stream("Greeter.Count", count),
        )
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
        "stopped    {} requests finished, {} cut",
        report.requests_finished, report.requests_cut
    );
    Ok(())
}
