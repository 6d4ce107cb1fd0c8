//! What authors and callers may say.

use std::sync::Arc;
use std::time::Duration;

use micro::prelude::*;
use tokio::sync::Notify;
use tokio::sync::oneshot;

use super::TypedWorld;
use super::interface::{
    LIMIT, Order, OrdersClient, OrdersServer, Receipt, Shop, Surroundings, order, serving, shop,
};
use crate::service::process::Process;

/// One message or many, in and out; what a handler refuses is refused with its words.
pub async fn a_trait_is_called_in_all_four_kinds(world: &TypedWorld) {
    let (client, _service) = shop(world).await;
    let orders = OrdersClient::new(&client);
    let placed = orders.place(order(3)).timeout(LIMIT).await;
    assert_eq!(placed, Ok(Receipt { items: 3 }));
    let listed = orders.list(4).timeout(LIMIT).await.unwrap().collect().await;
    assert_eq!(listed.unwrap(), [1, 2, 3, 4].map(order));
    let all: Streaming<Order> = (1..=4).map(order).collect();
    let placed = orders.place_all(all).timeout(LIMIT).await;
    assert_eq!(placed, Ok(Receipt { items: 10 }));
    let all: Streaming<Order> = (1..=200).map(order).collect();
    let echoed = orders.echo(all).timeout(LIMIT).await.unwrap().collect().await;
    assert_eq!(echoed.unwrap(), (1..=200).map(order).collect::<Vec<_>>());
    let empty = Order { id: 7, lines: vec![] };
    let status = orders.place(empty).timeout(LIMIT).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(status.message(), "order 7 is empty");
}

#[micro::service(name = "orders", prefix = "Stock")]
trait Stock {
    async fn place(&self, ctx: &Context, count: u32) -> Result<u32, Status>;
}

struct Shelf;

impl Stock for Shelf {
    async fn place(&self, _: &Context, count: u32) -> Result<u32, Status> {
        Ok(count + 1)
    }
}

/// Several interfaces are served by one process, beside endpoints that no trait describes, and none is in the way of
/// another.
pub async fn services_share_a_process(world: &TypedWorld) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let plain = Router::new().unary("Plain.Double", |_: Context, Json(number): Json<u32>| async move {
        Ok(Json(number * 2))
    });
    let service = there.service("orders").serve(OrdersServer::new(Shop));
    let service = service.serve(StockServer::from_arc(Arc::new(Shelf))).serve(plain);
    let _service = service.start().await.unwrap();
    let client = here.client();
    let placed = OrdersClient::new(&client).place(order(3)).timeout(LIMIT).await;
    assert_eq!(placed, Ok(Receipt { items: 3 }));
    assert_eq!(StockClient::new(&client).place(3).timeout(LIMIT).await, Ok(4));
    let call = client.unary("orders", "Plain.Double", Json(3_u32)).timeout(LIMIT);
    assert_eq!(call.await, Ok(Json(6_u32)));
}

/// A client calls the service that it is told, in the version that it is told, and no other.
pub async fn a_client_calls_another_name_and_version(world: &TypedWorld) {
    let here = Process::open(world).await;
    let mut services = Vec::new();
    for version in ["1", "2"] {
        let there = Process::open(world).await.service("shop").version(version);
        services.push(there.serve(OrdersServer::new(Shop)).start().await.unwrap());
    }
    let orders = OrdersClient::new(&here.client());
    let status = orders.place(order(1)).timeout(LIMIT).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound, "{status}");
    let orders = orders.with_service("shop");
    assert!(orders.place(order(1)).timeout(LIMIT).await.is_ok());
    for (version, found) in [("1", true), ("2", true), ("3", false)] {
        let orders = orders.clone().with_version(version);
        let outcome = orders.place(order(1)).timeout(LIMIT).await;
        assert_eq!(outcome.is_ok(), found, "{version}: {outcome:?}");
    }
}

/// The timeout of a method bounds a call that says nothing else: what the call says holds, be it more or less, and so
/// does what is left of the call that it is part of.
pub async fn a_default_timeout_gives_way(world: &TypedWorld) {
    let (client, _service) = shop(world).await;
    let orders = OrdersClient::new(&client);
    let left = async |answer: Result<Surroundings, Status>| answer.unwrap().seconds_left.unwrap();
    let by_default = left(orders.surroundings(()).await).await;
    assert!((90..=100).contains(&by_default), "{by_default}");
    let longer = orders.surroundings(()).timeout(Duration::from_secs(500));
    let longer = left(longer.await).await;
    assert!((450..=500).contains(&longer), "{longer}");
    let context = Context::new().with_timeout(Duration::from_secs(300));
    let within = left(orders.surroundings(()).context(&context).await).await;
    assert!((250..=300).contains(&within), "{within}");
}

/// A client is an implementation of its interface, and can be served as one: what it is asked it asks on, with the
/// deadline, the metadata and the cancellation of the call that it got.
pub async fn a_client_passes_a_call_on(world: &TypedWorld) {
    let (client, _service) = shop(world).await;
    let front = Process::open(world).await.service("front");
    let front = front.serve(OrdersServer::new(OrdersClient::new(&client)));
    let _front = front.start().await.unwrap();
    let orders = OrdersClient::new(&Process::open(world).await.client()).with_service("front");
    let call = orders.surroundings(()).header("Tenant", "a");
    let answer = call.timeout(Duration::from_secs(60)).await.unwrap();
    assert_eq!(answer.tenant.as_deref(), Some("a"));
    assert!((30..60).contains(&answer.seconds_left.unwrap()), "{answer:?}");
    let listed = orders.list(3).timeout(LIMIT).await.unwrap().collect().await;
    assert_eq!(listed.unwrap(), [1, 2, 3].map(order));
    let empty = Order { id: 7, lines: vec![] };
    let status = orders.place(empty).timeout(LIMIT).await.unwrap_err();
    assert_eq!(status.message(), "order 7 is empty");
}

#[micro::service(name = "orders")]
trait Background {
    async fn start(&self, ctx: &Context, nothing: ()) -> Result<(), Status>;
}

struct Spawning {
    cancelled: Arc<Notify>,
}

impl Background for Spawning {
    async fn start(&self, ctx: &Context, (): ()) -> Result<(), Status> {
        let (context, cancelled) = (ctx.clone(), self.cancelled.clone());
        let (started, starting) = oneshot::channel();
        tokio::spawn(async move {
            started.send(()).ok();
            context.cancelled().await;
            cancelled.notify_one();
        });
        starting.await.ok();
        // It waits until its caller leaves.
        std::future::pending().await
    }
}

/// Work that a handler spawned holds its context, and learns that the caller has left.
pub async fn what_a_handler_spawns_may_hold_the_context(world: &TypedWorld) {
    let cancelled = Arc::new(Notify::new());
    let spawning = Spawning {
        cancelled: cancelled.clone(),
    };
    let (client, _service) = serving(world, BackgroundServer::new(spawning)).await;
    let call = BackgroundClient::new(&client).start(());
    let status = call.timeout(Duration::from_millis(500)).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
    cancelled.notified().await;
}
