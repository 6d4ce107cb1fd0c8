//! The interface that clauses serve and call.

use std::time::Duration;

use micro::Service;
use micro::prelude::*;
use serde::{Deserialize, Serialize};

use super::TypedWorld;
use crate::service::process::{PATIENCE, Process};

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Size {
    Small,
    Large,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) item: String,
    pub(super) count: u8,
    pub(super) size: Size,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) id: u64,
    pub(super) lines: Vec<Line>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Receipt {
    pub(super) items: u32,
}

/// How long a caller waits, and what it said beside its request.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Surroundings {
    pub(super) seconds_left: Option<u64>,
    pub(super) tenant: Option<String>,
}

#[micro::service(name = "orders")]
pub(super) trait Orders {
    /// Places one order,
    /// and says how much it was.
    ///
    /// What follows is for readers of the source.
    #[endpoint(idempotent)]
    async fn place(&self, ctx: &Context, order: Order) -> Result<Receipt, Status>;

    /// Lists orders.
    async fn list(&self, ctx: &Context, count: u64) -> Result<Streaming<Order>, Status>;

    async fn place_all(&self, ctx: &Context, orders: Streaming<Order>) -> Result<Receipt, Status>;

    async fn echo(&self, ctx: &Context, orders: Streaming<Order>) -> Result<Streaming<Order>, Status>;

    #[endpoint(name = "Around", timeout = "100s")]
    async fn surroundings(&self, ctx: &Context, nothing: ()) -> Result<Surroundings, Status>;
}

/// Answers all that it is asked.
pub(super) struct Shop;

impl Orders for Shop {
    async fn place(&self, _: &Context, order: Order) -> Result<Receipt, Status> {
        if order.lines.is_empty() {
            return Err(Status::failed_precondition(format!(
                "order {} is empty",
                order.id
            )));
        }
        Ok(Receipt { items: items(&order) })
    }

    async fn list(&self, _: &Context, count: u64) -> Result<Streaming<Order>, Status> {
        Ok((1..=count).map(order).collect())
    }

    async fn place_all(&self, _: &Context, mut orders: Streaming<Order>) -> Result<Receipt, Status> {
        let mut receipt = Receipt { items: 0 };
        while let Some(order) = orders.next().await {
            receipt.items += items(&order?);
        }
        Ok(receipt)
    }

    async fn echo(&self, _: &Context, orders: Streaming<Order>) -> Result<Streaming<Order>, Status> {
        Ok(orders)
    }

    async fn surroundings(&self, ctx: &Context, (): ()) -> Result<Surroundings, Status> {
        Ok(Surroundings {
            seconds_left: ctx.remaining().map(|left| left.as_secs()),
            tenant: ctx.metadata().get("Tenant").map(str::to_owned),
        })
    }
}

fn items(order: &Order) -> u32 {
    order.lines.iter().map(|line| u32::from(line.count)).sum()
}

/// An order of as many things as its number says.
pub(super) fn order(id: u64) -> Order {
    let line = Line {
        item: "screw".to_owned(),
        count: u8::try_from(id).unwrap(),
        size: Size::Small,
    };
    Order {
        id,
        lines: vec![line],
    }
}

/// A shop in one process, and a client of another.
pub(super) async fn shop(world: &TypedWorld) -> (Client, Service) {
    serving(world, OrdersServer::new(Shop)).await
}

/// The service `orders` in one process, and a client of another.
pub(super) async fn serving(world: &TypedWorld, server: impl Into<Router>) -> (Client, Service) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let service = there.service(OrdersClient::SERVICE).serve(server).start().await;
    (here.client(), service.unwrap())
}

/// How long a clause waits for a call that ought to succeed.
pub(super) const LIMIT: Duration = PATIENCE;
