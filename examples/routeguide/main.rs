//! gRPC's route guide, from its .proto: the four kinds of call between a guide and a traveller.
//!
//! With nothing installed, both in one process; over NATS, with a server at 127.0.0.1:4222:
//!
//! ```text
//! cargo run --example routeguide
//! cargo run --example routeguide -- --transport=nats --broker=nats --registry=nats
//! ```
//!
//! With `--serve` it is the guide alone, until Ctrl-C. Clients that `protoc-gen-micro` made of the same .proto call it.

// This is a program: its output is its job.
#![allow(clippy::print_stdout)]

use clap::Parser;
use micro::prelude::*;
use micro_examples::routeguide::{Guide, Point, Rectangle, RouteGuideClient, RouteGuideServer, RouteNote};

/// Guides along routes.
#[derive(Parser)]
struct Cli {
    /// Serves until Ctrl-C, and calls nobody
    #[arg(long)]
    serve: bool,
    #[command(flatten)]
    micro: micro::Flags,
}

#[tokio::main]
async fn main() -> micro::Result<()> {
    micro_examples::log_from("warn");
    let cli = Cli::parse();
    let service = Service::from_flags(RouteGuideClient::SERVICE, cli.micro)?
        .serve(RouteGuideServer::new(Guide::default()))
        .start()
        .await?;
    println!("serving    {}", service.id());
    if cli.serve {
        service.run().await?;
        return Ok(());
    }
    let guide = RouteGuideClient::new(service.client()).with_service(service.name().to_owned());
    ask(&guide).await?;
    look_around(&guide).await?;
    walk(&guide).await?;
    chat(&guide).await?;
    service.shutdown().await?;
    Ok(())
}

/// One point, one feature.
async fn ask(guide: &RouteGuideClient) -> micro::Result<()> {
    for point in [Point::of(50.0865, 14.4114), Point::of(0.0, 0.0)] {
        match guide.get_feature(point).await?.name.as_str() {
            "" => println!("asked      nothing is at {point:?}"),
            name => println!("asked      {name} is at {point:?}"),
        }
    }
    Ok(())
}

/// One rectangle, many features.
async fn look_around(guide: &RouteGuideClient) -> micro::Result<()> {
    let within = Rectangle {
        lo: Some(Point::of(50.0, 13.0)),
        hi: Some(Point::of(53.0, 20.0)),
    };
    let mut features = guide.list_features(within).await?;
    while let Some(feature) = features.next().await {
        println!("listed     {}", feature?.name);
    }
    Ok(())
}

/// Many points, one summary.
async fn walk(guide: &RouteGuideClient) -> micro::Result<()> {
    let route = [
        (52.5163, 13.3777),
        (51.0531, 13.7337),
        (50.5, 14.0),
        (50.0865, 14.4114),
    ];
    let route: Streaming<Point> = route
        .into_iter()
        .map(|(north, east)| Point::of(north, east))
        .collect();
    let summary = guide.record_route(route).await?;
    println!(
        "walked     {} km past {} features",
        summary.distance / 1000,
        summary.feature_count
    );
    Ok(())
}

/// Many notes, many answers.
async fn chat(guide: &RouteGuideClient) -> micro::Result<()> {
    let note = |message: &str| RouteNote {
        location: Some(Point::of(50.7360, 15.7397)),
        message: message.to_owned(),
    };
    let notes = ["it is windy", "still windy", "the sun is out"].map(note);
    let mut earlier = guide.route_chat(notes.into_iter().collect()).await?;
    while let Some(note) = earlier.next().await {
        println!("chatted    somebody wrote before: {}", note?.message);
    }
    Ok(())
}
