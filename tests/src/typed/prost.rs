//! Messages of prost, and bodies in protobuf that do not fit.

use micro::prelude::*;
use micro::rpc::CallKind;
use micro::{Bytes, Request};
use prost::Message;
use serde::{Deserialize, Serialize};

use super::TypedWorld;
use super::interface::{LIMIT, serving};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
enum Size {
    Small = 0,
    Large = 1,
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
struct Line {
    #[prost(string, tag = "1")]
    item: String,
    #[prost(uint32, tag = "2")]
    count: u32,
    #[prost(enumeration = "Size", tag = "3")]
    size: i32,
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
struct Order {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(message, repeated, tag = "2")]
    lines: Vec<Line>,
}

/// An order as a later version writes it.
#[derive(Clone, PartialEq, prost::Message)]
struct NewOrder {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(message, repeated, tag = "2")]
    lines: Vec<Line>,
    #[prost(string, tag = "3")]
    colour: String,
}

/// An order as somebody writes it who takes its fields for others.
#[derive(Clone, PartialEq, prost::Message)]
struct BadOrder {
    #[prost(message, repeated, tag = "2")]
    lines: Vec<BadLine>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct BadLine {
    #[prost(bytes = "vec", tag = "1")]
    item: Vec<u8>,
}

#[micro::service(name = "orders", codec = "protobuf")]
trait Orders {
    async fn echo(&self, ctx: &Context, order: Order) -> Result<Order, Status>;
    #[endpoint(codec = "protobuf, json")]
    async fn either(&self, ctx: &Context, order: Order) -> Result<Order, Status>;
    #[endpoint(codec = "json, protobuf")]
    async fn stream(&self, ctx: &Context, orders: Streaming<Order>) -> Result<Streaming<Order>, Status>;
}

struct Shop;

impl Orders for Shop {
    async fn echo(&self, _: &Context, order: Order) -> Result<Order, Status> {
        Ok(order)
    }

    async fn either(&self, _: &Context, order: Order) -> Result<Order, Status> {
        Ok(order)
    }

    async fn stream(&self, _: &Context, orders: Streaming<Order>) -> Result<Streaming<Order>, Status> {
        Ok(orders)
    }
}

fn order(size: i32) -> Order {
    let item = "screw".to_owned();
    let line = Line { item, count: 3, size };
    Order {
        id: u64::MAX,
        lines: vec![line],
    }
}

async fn send(
    client: &Client,
    endpoint: &'static str,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Result<Bytes, Status> {
    let body: Bytes = body.into();
    let request = Request::new("orders", endpoint, body).with_kind(CallKind::Unary);
    let request = request.with_content_type(content_type);
    let request = request.with_context(Context::new().with_timeout(LIMIT));
    Ok(client.send(request).await?.body.into_one())
}

const PROTOBUF: &str = "application/protobuf";

/// As protobuf has it: an unknown field is passed over, a missing one has its default, an unknown value of an
/// enumeration arrives as its number.
pub async fn protobuf_is_read_as_protobuf_is(world: &TypedWorld) {
    let (client, _service) = serving(world, OrdersServer::new(Shop)).await;
    let orders = OrdersClient::new(&client);
    for size in [0, 1, 77, -1] {
        assert_eq!(orders.echo(order(size)).timeout(LIMIT).await, Ok(order(size)));
    }
    let new = NewOrder {
        id: 7,
        lines: vec![],
        colour: "red".to_owned(),
    };
    let answer = send(&client, "Orders.Echo", PROTOBUF, new.encode_to_vec())
        .await
        .unwrap();
    assert_eq!(Order::decode(answer).unwrap(), Order { id: 7, lines: vec![] });
    let answer = send(&client, "Orders.Echo", PROTOBUF, Bytes::new())
        .await
        .unwrap();
    assert_eq!(Order::decode(answer).unwrap(), Order::default());
}

/// The field that does not fit is named, and no other call is harmed.
pub async fn a_protobuf_body_that_does_not_decode_names_its_field(world: &TypedWorld) {
    let (client, _service) = serving(world, OrdersServer::new(Shop)).await;
    let line = BadLine {
        item: vec![0xff, 0xfe],
    };
    let bad = BadOrder { lines: vec![line] }.encode_to_vec();
    let status = send(&client, "Orders.Echo", PROTOBUF, bad).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    for word in ["Order.lines", "Line.item"] {
        assert!(status.message().contains(word), "{word:?} is not in {status}");
    }
    let whole = order(0).encode_to_vec();
    let cut = whole[..whole.len() - 1].to_vec();
    for body in [vec![0xff], vec![0x08], cut] {
        let status = send(&client, "Orders.Echo", PROTOBUF, body).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    }
    let orders = OrdersClient::new(&client);
    assert_eq!(orders.echo(order(1)).timeout(LIMIT).await, Ok(order(1)));
}

/// An endpoint of two codecs answers each caller in the one that it chose, and an endpoint of one refuses the other.
pub async fn an_endpoint_may_speak_two_codecs(world: &TypedWorld) {
    let (client, _service) = serving(world, OrdersServer::new(Shop)).await;
    let orders = OrdersClient::new(&client);
    assert_eq!(orders.either(order(1)).timeout(LIMIT).await, Ok(order(1)));
    let streamed = orders
        .stream([order(0), order(1)].into_iter().collect())
        .timeout(LIMIT)
        .await;
    assert_eq!(streamed.unwrap().collect().await, Ok(vec![order(0), order(1)]));
    let json = serde_json::to_vec(&order(1)).unwrap();
    let answer = send(&client, "Orders.Either", "application/json", json.clone())
        .await
        .unwrap();
    assert_eq!(serde_json::from_slice::<Order>(&answer).unwrap(), order(1));
    let body = order(1).encode_to_vec();
    let answer = send(&client, "Orders.Either", PROTOBUF, body).await.unwrap();
    assert_eq!(Order::decode(answer).unwrap(), order(1));
    let status = send(&client, "Orders.Echo", "application/json", json)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented, "{status}");
}
