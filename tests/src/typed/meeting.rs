//! Interfaces that were written by hand, beside those that were made of a .proto.

use micro::prelude::*;

use super::TypedWorld;
use super::generated::{self, Shop, protos::shop::v1 as proto};
use super::interface::{LIMIT, serving};
use crate::service::process::Process;

#[derive(Clone, PartialEq, prost::Message)]
struct Line {
    #[prost(string, tag = "1")]
    item: String,
    #[prost(uint32, tag = "2")]
    count: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Order {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(message, repeated, tag = "2")]
    lines: Vec<Line>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Money {
    #[prost(int64, tag = "1")]
    cents: i64,
}

#[micro::service(codec = "protobuf")]
trait Orders {
    async fn place(&self, ctx: &Context, order: Order) -> Result<Money, Status>;
    async fn echo(&self, ctx: &Context, orders: Streaming<Order>) -> Result<Streaming<Order>, Status>;
}

struct Counter;

impl Orders for Counter {
    async fn place(&self, _: &Context, order: Order) -> Result<Money, Status> {
        let cents = order.lines.iter().map(|line| i64::from(line.count)).sum();
        Ok(Money { cents })
    }

    async fn echo(&self, _: &Context, orders: Streaming<Order>) -> Result<Streaming<Order>, Status> {
        Ok(orders)
    }
}

/// A client of a .proto calls a server that was written by hand, and the other way: what counts is the messages.
pub async fn a_proto_and_a_trait_meet(world: &TypedWorld) {
    let (client, _service) = serving(world, OrdersServer::new(Counter)).await;
    let orders = proto::OrdersClient::new(&client);
    let placed = orders.place(generated::order(3)).timeout(LIMIT).await.unwrap();
    assert_eq!(placed.cents, 3);
    let all: Streaming<proto::Order> = [generated::order(7)].into_iter().collect();
    let echoed = orders.echo(all).timeout(LIMIT).await.unwrap().collect().await;
    assert_eq!(echoed.unwrap()[0].lines[0].item, "screw");

    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let _service = there
        .service("generated")
        .serve(proto::OrdersServer::new(Shop))
        .start()
        .await
        .unwrap();
    let orders = OrdersClient::new(&here.client()).with_service("generated");
    let line = Line {
        item: "nail".to_owned(),
        count: 3,
    };
    let order = Order {
        id: 1,
        lines: vec![line],
    };
    assert_eq!(orders.place(order.clone()).timeout(LIMIT).await.unwrap().cents, 0);
    let all: Streaming<Order> = [order.clone()].into_iter().collect();
    let echoed = orders.echo(all).timeout(LIMIT).await.unwrap().collect().await;
    assert_eq!(echoed, Ok(vec![order]));
}
