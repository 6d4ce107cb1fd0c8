//! A service and its tests: the test plays its peer, kills it, doubles its events, and pauses the clock.
//!
//! ```text
//! cargo run --example testing
//! cargo run --example testing -- nats      # the same on a real nats-server: set NATS_SERVER, or have one on PATH
//! cargo test -p micro-examples --example testing
//! ```

// This is a program: its output is its job. Its other half is tests, which fail by panicking.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use micro::prelude::*;
use micro::testing::{Faults, ScriptedService, Testbed};
use serde::{Deserialize, Serialize};

/// Tells that an order was placed.
#[micro::event(topic = "orders.placed")]
#[derive(Serialize, Deserialize)]
struct OrderPlaced {
    id: u64,
}

/// What the service needs of another one.
#[micro::service]
trait Stock {
    /// Takes so many out of the stock, and says how many are left.
    async fn take(&self, ctx: &Context, count: u32) -> Result<u32, Status>;
}

/// The service that is tested.
#[micro::service]
trait Orders {
    /// Places an order of so many, and says its id.
    ///
    /// # Errors
    /// `InvalidArgument` when it is of nothing; else what the stock answers, or that nobody could be told of it.
    async fn place(&self, ctx: &Context, count: u32) -> Result<u64, Status>;
}

struct Shop {
    stock: StockClient,
    publisher: Publisher,
}

impl Orders for Shop {
    async fn place(&self, ctx: &Context, count: u32) -> Result<u64, Status> {
        if count == 0 {
            return Err(Status::invalid_argument("an order of nothing"));
        }
        let left = self
            .stock
            .take(count)
            .context(ctx)
            .timeout(Duration::from_secs(2))
            .await?;
        let id = u64::from(left);
        let publisher = self.publisher.clone().context(ctx);
        publisher.publish(&OrderPlaced { id }).await?;
        Ok(id)
    }
}

/// Which orders were billed: each once, however often it is told of them.
type Billed = Arc<Mutex<BTreeSet<u64>>>;

/// What a test begins with: the service, somebody who hears of orders, a stock played by the test, and a caller.
struct Stage {
    bed: Testbed,
    stock: ScriptedService,
    orders: OrdersClient,
    billed: Billed,
    services: [Service; 2],
}

impl Stage {
    async fn new(bed: Testbed) -> Self {
        let backends = bed.host("orders").backends().await.unwrap();
        let shop = Shop {
            stock: StockClient::new(backends.client()),
            publisher: backends.publisher(),
        };
        let shop = bed.service("orders").serve(OrdersServer::new(shop));
        let billed = Billed::default();
        let bills = billed.clone();
        let billing = bed.service("billing").on(move |_: Context, order: OrderPlaced| {
            bills.lock().unwrap().insert(order.id);
            async { Ok(()) }
        });
        Stage {
            stock: bed.scripted_service("stock").await.unwrap(),
            orders: OrdersClient::new(&bed.client().await.unwrap()),
            services: [shop.start().await.unwrap(), billing.start().await.unwrap()],
            billed,
            bed,
        }
    }

    /// Waits until billing has handled so many events.
    async fn handled(&self, events: u64) {
        while self.services[1].events().handled < events {
            tokio::task::yield_now().await;
        }
    }
}

async fn an_order_is_taken_from_the_stock_and_told(bed: Testbed) {
    let mut stage = Stage::new(bed).await;
    let script = async {
        let request = stage.stock.expect::<Json<u32>>("Stock.Take").await;
        assert_eq!(request.message, Json(2));
        request.reply(Json(5_u32));
    };
    let (placed, ()) = tokio::join!(async { stage.orders.place(2).await }, script);
    assert_eq!(placed, Ok(5));
    stage.handled(1).await;
    assert!(stage.billed.lock().unwrap().contains(&5));
}

async fn an_order_that_is_told_twice_is_billed_once(bed: Testbed) {
    let mut stage = Stage::new(bed).await;
    stage.bed.event_faults(&Faults::default().with_duplicates(1.0));
    let script = async {
        stage
            .stock
            .expect::<Json<u32>>("Stock.Take")
            .await
            .reply(Json(5_u32))
    };
    let (placed, ()) = tokio::join!(async { stage.orders.place(2).await }, script);
    assert_eq!(placed, Ok(5));
    stage.handled(2).await;
    assert_eq!(stage.billed.lock().unwrap().len(), 1);
}

async fn a_stock_that_dies_fails_the_order(bed: Testbed) {
    let mut stage = Stage::new(bed).await;
    let script = async {
        let request = stage.stock.expect::<Json<u32>>("Stock.Take").await;
        stage.bed.host("stock").kill();
        request.context.cancelled().await;
    };
    let (placed, ()) = tokio::join!(async { stage.orders.place(2).await }, script);
    assert_eq!(placed.unwrap_err().code(), Code::Unavailable);
    assert!(stage.billed.lock().unwrap().is_empty());
}

/// The same, as a program: in memory, or on the backends that its argument names.
#[tokio::main]
async fn main() -> micro::Result<()> {
    let backends = std::env::args().nth(1).unwrap_or_else(|| "memory".to_owned());
    an_order_is_taken_from_the_stock_and_told(Testbed::named(&backends).await?).await;
    println!("{backends}: an order is taken from the stock, and told");
    an_order_that_is_told_twice_is_billed_once(Testbed::named(&backends).await?).await;
    println!("{backends}: an order that is told twice is billed once");
    a_stock_that_dies_fails_the_order(Testbed::named(&backends).await?).await;
    println!("{backends}: a stock that dies fails the order");
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    mod memory {
        use super::*;

        #[tokio::test]
        async fn an_order_is_taken_from_the_stock_and_told() {
            super::an_order_is_taken_from_the_stock_and_told(Testbed::memory()).await;
        }

        #[tokio::test]
        async fn an_order_that_is_told_twice_is_billed_once() {
            super::an_order_that_is_told_twice_is_billed_once(Testbed::memory()).await;
        }

        #[tokio::test]
        async fn a_stock_that_dies_fails_the_order() {
            super::a_stock_that_dies_fails_the_order(Testbed::memory()).await;
        }
    }

    mod nats {
        use super::*;

        #[tokio::test]
        async fn an_order_is_taken_from_the_stock_and_told() {
            super::an_order_is_taken_from_the_stock_and_told(Testbed::nats().await).await;
        }

        #[tokio::test]
        async fn an_order_that_is_told_twice_is_billed_once() {
            super::an_order_that_is_told_twice_is_billed_once(Testbed::nats().await).await;
        }

        #[tokio::test]
        async fn a_stock_that_dies_fails_the_order() {
            super::a_stock_that_dies_fails_the_order(Testbed::nats().await).await;
        }
    }

    /// A handler by itself: nothing is started.
    #[tokio::test]
    async fn an_order_of_nothing_is_refused() {
        let backends = Testbed::memory().host("orders").backends().await.unwrap();
        let shop = Shop {
            stock: StockClient::new(backends.client()),
            publisher: backends.publisher(),
        };
        let refused = shop.place(&Context::new(), 0).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
    }

    /// In memory alone: a nats-server does not wait for a paused clock.
    #[tokio::test(start_paused = true)]
    async fn a_stock_that_is_silent_fails_the_order_after_two_seconds() {
        let mut stage = Stage::new(Testbed::memory()).await;
        let start = Instant::now();
        let script = async {
            let request = stage.stock.expect::<Json<u32>>("Stock.Take").await;
            request.context.cancelled().await;
        };
        let (placed, ()) = tokio::join!(async { stage.orders.place(2).await }, script);
        assert_eq!(placed.unwrap_err().code(), Code::DeadlineExceeded);
        assert_eq!(start.elapsed().as_secs(), 2);
    }
}
