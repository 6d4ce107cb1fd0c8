//! Interfaces that `micro-build` made of .proto files.

use std::collections::HashMap;

use micro::ErrorKind;
use micro::prelude::*;
use micro::registry::Value;

use super::TypedWorld;
use super::interface::{LIMIT, serving};
use crate::service::process::Process;

/// The packages, each below the one that its name begins with.
#[allow(
    dead_code,
    unreachable_pub,
    reason = "it is generated, and not all of it is used"
)]
pub(super) mod protos {
    micro::include_proto!("protos");
}

use protos::shop::common::v1::{Currency, Money};
use protos::shop::v1::{ListRequest, Order, Orders, OrdersClient, OrdersServer, Receipt, order};
use protos::{HttpEcho, HttpEchoClient, HttpEchoServer, Text};

pub(super) struct Shop;

impl Orders for Shop {
    async fn place(&self, _: &Context, order: Order) -> Result<Money, Status> {
        Ok(price(&order))
    }

    async fn list(&self, _: &Context, request: ListRequest) -> Result<Streaming<Order>, Status> {
        Ok((1..=request.count).map(order).collect())
    }

    async fn place_all(&self, _: &Context, orders: Streaming<Order>) -> Result<Receipt, Status> {
        let orders = orders.collect().await?;
        let cents = orders.iter().map(|order| price(order).cents).sum();
        Ok(Receipt {
            orders: u32::try_from(orders.len()).unwrap(),
            sum: Some(euro(cents)),
        })
    }

    async fn echo(&self, _: &Context, orders: Streaming<Order>) -> Result<Streaming<Order>, Status> {
        Ok(orders)
    }

    async fn new_(&self, _: &Context, (): ()) -> Result<(), Status> {
        Ok(())
    }

    async fn old(&self, _: &Context, order: Order) -> Result<Order, Status> {
        Ok(order)
    }
}

fn euro(cents: i64) -> Money {
    Money {
        cents,
        currency: Currency::Euro.into(),
    }
}

fn price(order: &Order) -> Money {
    let cents = |line: &order::Line| {
        let each = line.price.as_ref().map_or(0, |price| price.cents);
        each * i64::from(line.count)
    };
    euro(order.lines.iter().map(cents).sum())
}

/// An order of as many things as its number says, with something in every field.
pub(super) fn order(id: u64) -> Order {
    let line = order::Line {
        item: "screw".to_owned(),
        count: u32::try_from(id).unwrap(),
        price: Some(euro(5)),
    };
    let whole = Order {
        payment: Some(order::Payment::Card("1234".to_owned())),
        ..Order::default()
    };
    Order {
        id,
        lines: vec![line],
        extras: HashMap::from([("paint".to_owned(), euro(1))]),
        note: Some(String::new()),
        payment: Some(order::Payment::Cash(euro(2))),
        whole: Some(Box::new(whole)),
        signature: vec![0, 255],
    }
}

/// One message or many, in and out, over all that a message may have in it.
pub async fn a_proto_is_called_in_all_four_kinds(world: &TypedWorld) {
    let (client, _service) = serving(world, OrdersServer::new(Shop)).await;
    let orders = OrdersClient::new(&client);
    assert_eq!(orders.place(order(3)).timeout(LIMIT).await, Ok(euro(15)));
    let listed = orders
        .list(ListRequest { count: 3 })
        .timeout(LIMIT)
        .await
        .unwrap();
    assert_eq!(listed.collect().await, Ok([1, 2, 3].map(order).to_vec()));
    let all: Streaming<Order> = [1, 2, 3].into_iter().map(order).collect();
    let receipt = orders.place_all(all).timeout(LIMIT).await.unwrap();
    assert_eq!((receipt.orders, receipt.sum), (3, Some(euro(30))));
    let all: Streaming<Order> = (1..=100).map(order).collect();
    let echoed = orders.echo(all).timeout(LIMIT).await.unwrap().collect().await;
    assert_eq!(echoed, Ok((1..=100).map(order).collect()));
    assert_eq!(orders.new_(()).timeout(LIMIT).await, Ok(()));
}

/// Fields by name and type, as go-micro would tell them of the same file.
fn told(value: &Value) -> Vec<(&str, &str)> {
    let fields = value.values.iter();
    fields.map(|field| (&*field.name, &*field.kind)).collect()
}

/// Endpoints have the names that `protoc-gen-micro` gives them, comments are descriptions, and messages have their
/// shapes, as deep as go-micro tells them.
pub async fn the_registry_says_what_the_proto_said(world: &TypedWorld) {
    let (_client, _service) = serving(world, OrdersServer::new(Shop)).await;
    let record = Process::open(world).await.find("orders").await.remove(0);
    let names: Vec<_> = record
        .endpoints
        .iter()
        .map(|endpoint| endpoint.name.as_str())
        .collect();
    let expected = ["Echo", "List", "New", "Old", "Place", "PlaceAll"];
    assert_eq!(names, expected.map(|name| format!("Orders.{name}")));
    let endpoint = |name: &str| record.endpoints.iter().find(|one| one.name == name).unwrap();
    let description = |name: &str| endpoint(name).metadata.get("description").map(String::as_str);
    assert_eq!(
        description("Orders.Place"),
        Some("Places one order, and says what it costs.")
    );
    assert_eq!(description("Orders.List"), Some("Lists orders."));
    assert_eq!(description("Orders.Echo"), None);
    let request = endpoint("Orders.Place").request.as_ref().unwrap();
    assert_eq!(request.kind, "Order");
    let expected = [
        ("id", "uint64"),
        ("lines", "[]Order_Line"),
        ("extras", "map[string]Money"),
        ("note", "string"),
        ("cash", "Money"),
        ("card", "string"),
        ("whole", "Order"),
        ("signature", "[]uint8"),
    ];
    assert_eq!(told(request), expected);
    let line = told(&request.values[1]);
    assert_eq!(
        line,
        [("item", "string"), ("count", "uint32"), ("price", "Money")]
    );
    let response = endpoint("Orders.Place").response.as_ref().unwrap();
    assert_eq!(told(response), [("cents", "int64"), ("currency", "Currency")]);
}

struct Echo;

impl HttpEcho for Echo {
    async fn echo_text(&self, _: &Context, text: Text) -> Result<Text, Status> {
        Ok(text)
    }
}

/// Without a package, and with names that Rust writes otherwise: on the wire they are those of the file.
pub async fn a_proto_keeps_its_names_on_the_wire(world: &TypedWorld) {
    let process = Process::open(world).await;
    let service = process
        .service(HttpEchoClient::SERVICE)
        .serve(HttpEchoServer::new(Echo));
    let service = service.start().await.unwrap();
    assert_eq!(service.record().endpoints[0].name, "HTTPEcho.echoText");
    let text = Text {
        text: "hello".to_owned(),
    };
    let answer = HttpEchoClient::new(service.client())
        .echo_text(text.clone())
        .timeout(LIMIT);
    assert_eq!(answer.await, Ok(text));
    // Nobody serves an interface without methods.
    let error = process
        .registry
        .get(protos::EmptyClient::SERVICE)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
