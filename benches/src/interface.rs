//! The echo as a trait.

use anyhow::Result;
use micro_core::{Context, Status};

use crate::payload::Order;

/// Answers orders with themselves, in either codec.
#[micro::service(prefix = "Typed")]
pub(crate) trait Orders {
    async fn json(&self, ctx: &Context, order: Order) -> Result<Order, Status>;
    #[endpoint(codec = "protobuf")]
    async fn protobuf(&self, ctx: &Context, order: Order) -> Result<Order, Status>;
}

/// Which of its methods is called.
#[derive(Clone, Copy)]
pub(crate) enum Echo {
    Json,
    Protobuf,
}

pub(crate) struct Mirror;

impl Orders for Mirror {
    async fn json(&self, _: &Context, order: Order) -> Result<Order, Status> {
        Ok(order)
    }

    async fn protobuf(&self, _: &Context, order: Order) -> Result<Order, Status> {
        Ok(order)
    }
}

/// One call of an order, checked.
pub(crate) async fn order(orders: OrdersClient, echo: Echo, id: u64) -> Result<()> {
    let order = Order::new(id);
    let answer = match echo {
        Echo::Json => orders.json(order).await?,
        Echo::Protobuf => orders.protobuf(order).await?,
    };
    answer.check(id)
}
