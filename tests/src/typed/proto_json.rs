//! Services of .proto files, called in JSON: by protobuf's own mapping, which gateways, Go clients and people at a
//! terminal write.

use micro::prelude::*;
use micro::rpc::{Body, BodyStream, CallKind};
use micro::{Bytes, Request};
use serde_json::{Value, json};

use super::TypedWorld;
use super::generated::protos::shop::v1::{ListRequest, OrdersClient, OrdersServer};
use super::generated::{Shop, order};
use super::interface::{LIMIT, serving};

/// Calls with JSON that no client of ours wrote.
async fn said(client: &Client, endpoint: &'static str, body: &str) -> Result<Value, Status> {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let request = Request::new(OrdersClient::SERVICE, endpoint, body).with_content_type("application/json");
    let request = request.with_context(Context::new().with_timeout(LIMIT));
    let answer = client.send(request).await?.body.into_one();
    assert_eq!(answer.last(), Some(&b'\n'), "as go-micro ends its JSON");
    Ok(serde_json::from_slice(&answer).unwrap())
}

/// All fields of an order, as the mapping writes them: text for 64 bits, base64 for bytes, names for enumerations.
fn whole() -> Value {
    json!({
        "id": "3",
        "lines": [{"item": "screw", "count": 3, "price": {"cents": "5", "currency": "CURRENCY_EURO"}}],
        "extras": {"paint": {"cents": "1", "currency": "CURRENCY_EURO"}},
        "note": "",
        "cash": {"cents": "2", "currency": "CURRENCY_EURO"},
        "whole": {"card": "1234"},
        "signature": "AP8=",
    })
}

/// What comes in the mapping goes back in it, field by field; empty messages are objects.
pub async fn a_proto_is_called_in_json_by_its_mapping(world: &TypedWorld) {
    let (client, _service) = serving(world, OrdersServer::new(Shop)).await;
    assert_eq!(
        said(&client, "Orders.Old", &whole().to_string()).await,
        Ok(whole())
    );
    let price = said(&client, "Orders.Place", &whole().to_string()).await;
    assert_eq!(price, Ok(json!({"cents": "15", "currency": "CURRENCY_EURO"})));
    assert_eq!(said(&client, "Orders.New", "{}").await, Ok(json!({})));
    // Clients of ours go on in protobuf.
    let orders = OrdersClient::new(&client);
    let listed = orders
        .list(ListRequest { count: 1 })
        .timeout(LIMIT)
        .await
        .unwrap();
    assert_eq!(listed.collect().await, Ok(vec![order(1)]));
}

/// Readers of the mapping take what writers of it need not: numbers for text and for names, the names of the file, and
/// `null` for what is not there. Go's generated clients write so.
pub async fn a_proto_is_read_leniently_in_json(world: &TypedWorld) {
    let (client, _service) = serving(world, OrdersServer::new(Shop)).await;
    let body = r#"{"id":3,"lines":null,"note":null,"cash":{"cents":2,"currency":1},"new":[{}]}"#;
    let expected = json!({"id": "3", "cash": {"cents": "2", "currency": "CURRENCY_EURO"}});
    assert_eq!(said(&client, "Orders.Old", body).await, Ok(expected));
}

/// Each is `InvalidArgument`, names its field by its path, and harms no other call.
pub async fn json_that_is_no_such_message_names_its_field(world: &TypedWorld) {
    let (client, _service) = serving(world, OrdersServer::new(Shop)).await;
    for (body, path) in [
        (r#"{"lines":[{"count":1},{"count":"many"}]}"#, "lines[1].count"),
        (r#"{"lines":[{"count":4294967296}]}"#, "lines[0].count"),
        (r#"{"lines":[{"count":-1}]}"#, "lines[0].count"),
        (r#"{"extras":{"paint":{"cents":1.5}}}"#, "extras.paint.cents"),
        (r#"{"signature":"*"}"#, "signature"),
        (r#"{"cash":{},"card":"1"}"#, "payment"),
        (r#"{"id":"1""#, ""),
        ("[]", ""),
        ("", ""),
    ] {
        let status = said(&client, "Orders.Place", body).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{body}: {status}");
        assert!(status.message().contains(path), "{body}: {status}");
        assert!(said(&client, "Orders.Place", "{}").await.is_ok());
    }
}

/// The items of a stream, too.
pub async fn a_proto_is_streamed_in_json(world: &TypedWorld) {
    let (client, _service) = serving(world, OrdersServer::new(Shop)).await;
    let items = [1, 2].map(|id| Ok(Bytes::from(json!({ "id": id }).to_string())));
    let body = Body::Many(BodyStream::new(futures::stream::iter(items)));
    let request = Request::new(OrdersClient::SERVICE, "Orders.Echo", body)
        .with_kind(CallKind::BidiStream)
        .with_content_type("application/json")
        .with_context(Context::new().with_timeout(LIMIT));
    let answers = client.send(request).await.unwrap().body.into_many();
    let answers: Vec<Result<Bytes, Status>> = futures::StreamExt::collect(answers).await;
    let answers = answers
        .into_iter()
        .map(|answer| serde_json::from_slice(&answer.unwrap()));
    let answers: Vec<Value> = answers.collect::<Result<_, _>>().unwrap();
    assert_eq!(answers, [json!({"id": "1"}), json!({"id": "2"})]);
}
