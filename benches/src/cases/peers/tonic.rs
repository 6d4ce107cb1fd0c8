//! The peer: a tonic client and server, generated from `proto/bench.proto`, over loopback TCP.
//!
//! Its best set-up: one, two or four channels for unary calls, and the usual or large windows for streams, whichever
//! does more.

use std::net::Ipv4Addr;

use anyhow::{Result, ensure};
use futures::stream::{self, Iter, Map};
use futures::{FutureExt, StreamExt};
use tokio::task::JoinSet;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

use crate::items::Items;
use crate::load::{Callers, Setup};
use crate::payload::{self, Order, Tick, Upto};
use crate::threads::where_services_are;

#[allow(missing_docs, unreachable_pub, clippy::pedantic)]
mod generated {
    tonic::include_proto!("bench");
}

use generated::bench_client::BenchClient;
use generated::bench_server::{Bench, BenchServer};

struct Serving;

type Ticks = Map<Iter<std::ops::Range<u64>>, fn(u64) -> Result<Tick, Status>>;

#[tonic::async_trait]
impl Bench for Serving {
    type CountStream = Ticks;

    async fn echo(&self, request: Request<Order>) -> Result<Response<Order>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    async fn count(&self, request: Request<Upto>) -> Result<Response<Ticks>, Status> {
        let tick: fn(u64) -> _ = |number| Ok(Tick::new(number));
        let numbers = stream::iter(0..request.into_inner().count);
        Ok(Response::new(numbers.map(tick)))
    }
}

/// Unary calls of typed orders.
pub(crate) async fn orders(callers: usize) -> Result<Vec<Setup>> {
    let mut setups = Vec::new();
    for (name, channels) in [("1 channel", 1), ("2 channels", 2), ("4 channels", 4)] {
        let (server, clients) = open(channels, None).await?;
        let call = move |id| order(clients[payload::caller_of(id) % clients.len()].clone(), id);
        setups.push(Setup::new(name, Callers::new(callers, call), server).with_ends_apart(true));
    }
    Ok(setups)
}

async fn order(mut client: BenchClient<Channel>, id: u64) -> Result<()> {
    let answer = client.echo(Order::new(id)).await?;
    answer.into_inner().check(id)
}

/// Streams of small items.
pub(crate) async fn items() -> Result<Vec<Setup>> {
    let mut setups = Vec::new();
    for (name, window) in [
        ("1 channel", None),
        ("1 channel, windows of 4 MiB", Some(4 << 20)),
    ] {
        let (server, mut clients) = open(1, window).await?;
        let client = clients.remove(0);
        let read = move |count| read(client.clone(), count);
        setups.push(Setup::new(name, Items::new(read), server).with_ends_apart(true));
    }
    Ok(setups)
}

async fn read(mut client: BenchClient<Channel>, count: u64) -> Result<()> {
    let mut items = client.count(Upto { count }).await?.into_inner();
    let mut next = 0;
    while let Some(item) = items.message().await? {
        ensure!(
            item.number == next,
            "item {} came in the place of {next}",
            item.number
        );
        next += 1;
    }
    ensure!(next == count, "{next} items of {count} came");
    Ok(())
}

/// A server, and clients with a channel each; `window` is how many bytes may be on their way.
async fn open(channels: usize, window: Option<u32>) -> Result<(JoinSet<()>, Vec<BenchClient<Channel>>)> {
    let (server, url) = where_services_are(async move { serve(window) }).await??;
    let endpoint = Endpoint::from_shared(url)?
        .tcp_nodelay(true)
        .initial_stream_window_size(window)
        .initial_connection_window_size(window);
    let mut clients = Vec::new();
    for _ in 0..channels {
        clients.push(BenchClient::new(endpoint.connect().await?));
    }
    Ok((server, clients))
}

/// A server, and where it is.
fn serve(window: Option<u32>) -> Result<(JoinSet<()>, String)> {
    let incoming = TcpIncoming::bind((Ipv4Addr::LOCALHOST, 0).into())?.with_nodelay(Some(true));
    let url = format!("http://{}", incoming.local_addr()?);
    let serving = tonic::transport::Server::builder()
        .initial_stream_window_size(window)
        .initial_connection_window_size(window)
        .add_service(BenchServer::new(Serving))
        .serve_with_incoming(incoming);
    let mut server = JoinSet::new();
    server.spawn(serving.map(drop));
    Ok((server, url))
}
