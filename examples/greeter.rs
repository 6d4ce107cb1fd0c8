//! A service that is started, found, called, streamed from and told of an event, all in one process.
//!
//! With nothing installed, everything in memory:
//!
//! ```text
//! cargo run --example greeter
//! ```
//!
//! The same over NATS, with a server at 127.0.0.1:4222 (`$(cargo xtask nats) --addr 127.0.0.1` starts one):
//!
//! ```text
//! cargo run --example greeter -- --transport=nats --broker=nats --registry=nats
//! ```

// This is a program: its output is its job.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use micro::prelude::*;
use micro::{Error, ErrorKind};
use micro_examples::{CountRequest, English, Greeted, GreeterClient, GreeterServer, HelloRequest};
use tokio::sync::mpsc;
use tokio::time::timeout;

#[tokio::main]
async fn main() -> micro::Result<()> {
    micro_examples::log_from("warn");
    let (greeted, mut heard) = mpsc::channel(16);
    let service = Service::from_args("greeter")?
        .version("1.0.0")
        .serve(GreeterServer::new(English))
        .subscribe("greetings", micro_examples::forward_to(greeted))
        .start()
        .await?;
    println!("started    {}", describe(&service));

    let greeter = GreeterClient::new(service.client());
    find(&service).await?;
    call(&greeter).await?;
    stream(&greeter).await?;
    tell(&service, &mut heard).await?;

    let report = service.shutdown().await?;
    println!(
        "stopped    {} requests and {} events were cut",
        report.requests_cut, report.events_cut
    );
    Ok(())
}

fn describe(service: &Service) -> String {
    let backends = service.backends();
    format!(
        "{} (transport {}, broker {}, registry {})",
        service.id(),
        backends.transport().name(),
        backends.broker().name(),
        backends.registry().name()
    )
}

/// Who serves it? The registry knows.
async fn find(service: &Service) -> micro::Result<()> {
    for record in service.registry().get(service.name()).await? {
        println!(
            "found      {} {} on {} node(s)",
            record.name,
            record.version,
            record.nodes.len()
        );
    }
    Ok(())
}

/// One request, one answer.
async fn call(greeter: &GreeterClient) -> micro::Result<()> {
    let call = greeter.hello(HelloRequest { name: "Ada".into() });
    let reply = call.timeout(Duration::from_secs(2)).await?;
    println!("called     {}", reply.message);
    Ok(())
}

/// One request, many answers.
async fn stream(greeter: &GreeterClient) -> micro::Result<()> {
    let mut numbers = greeter.count(CountRequest { to: 5 }).await?;
    let mut total = 0;
    while let Some(number) = numbers.next().await {
        total += number?;
        println!("streamed   a sum of {total}");
    }
    Ok(())
}

/// One event, to whoever wants to know.
async fn tell(service: &Service, heard: &mut mpsc::Receiver<Greeted>) -> micro::Result<()> {
    service
        .publish_to("greetings", &Json(Greeted { name: "Ada".into() }))
        .await?;
    println!("published  that Ada was greeted");
    match timeout(Duration::from_secs(5), heard.recv()).await {
        Ok(Some(event)) => println!("received   that {} was greeted", event.name),
        _ => return Err(Error::new(ErrorKind::Timeout, "the event did not come")),
    }
    Ok(())
}
