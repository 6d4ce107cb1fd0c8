//! Calls the greeter from another process, streams from it, and tells whoever listens.
//!
//! Start `greeter-server` first, then, with the same flags:
//!
//! ```text
//! cargo run --example greeter-client -- --transport=nats --broker=nats --registry=nats
//! cargo run --example greeter-client -- --transport=nats --broker=nats --registry=nats --name Grace --count 3
//! ```
//!
//! It shows how a program has flags of its own beside the framework's.

// This is a program: its output is its job.
#![allow(clippy::print_stdout)]

use clap::Parser;
use micro::prelude::*;
use micro_examples::{CountRequest, Greeted, GreeterClient, HelloRequest};

/// Calls the greeter.
#[derive(Parser)]
struct Cli {
    /// Whom to greet
    #[arg(long, default_value = "Ada")]
    name: String,
    /// How far to count
    #[arg(long, default_value_t = 5)]
    count: u32,
    /// The service to call
    #[arg(long, default_value = "greeter")]
    service: String,
    #[command(flatten)]
    micro: micro::BackendFlags,
}

#[tokio::main]
async fn main() -> micro::Result<()> {
    micro_examples::log_from("warn");
    let Cli {
        name,
        count,
        service,
        micro,
    } = Cli::parse();
    let backends = Backends::from_flags("greeter-client", micro).await?;
    let greeter = GreeterClient::new(backends.client()).with_service(service);

    let reply = greeter.hello(HelloRequest { name: name.clone() }).await?;
    println!("called     {}", reply.message);

    let mut numbers = greeter.count(CountRequest { to: count }).await?;
    while let Some(number) = numbers.next().await {
        println!("streamed   {}", number?);
    }

    backends.publish_to("greetings", &Json(Greeted { name })).await?;
    backends.publisher().flush().await?; // what is on its way would end with the program
    println!("published  that they were greeted");
    Ok(())
}
