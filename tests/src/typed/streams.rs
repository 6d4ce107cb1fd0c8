//! Streams of callers that do not end well.

use futures::StreamExt;
use micro::prelude::*;
use micro::rpc::{Body, BodyStream, CallKind};
use micro::{Bytes, Request};

use super::TypedWorld;
use super::interface::{LIMIT, Order, OrdersClient, Receipt, order, serving, shop};

/// Opens a stream that no client of ours would open.
async fn open(client: &Client, endpoint: &'static str, items: &[&'static str]) -> Result<Vec<Bytes>, Status> {
    let items: Vec<_> = items
        .iter()
        .map(|item| Ok(Bytes::from_static(item.as_bytes())))
        .collect();
    let body = Body::Many(BodyStream::new(futures::stream::iter(items)));
    let request = Request::new(OrdersClient::SERVICE, endpoint, body).with_kind(CallKind::BidiStream);
    let request = request.with_context(Context::new().with_timeout(LIMIT));
    let mut answers = client.send(request).await?.body.into_many();
    let mut got = Vec::new();
    while let Some(answer) = answers.next().await {
        got.push(answer?);
    }
    Ok(got)
}

/// When the caller's own source fails in the middle, the call ends with that: what was sent is not taken for the whole.
pub async fn a_stream_that_breaks_off_ends_with_its_reason(world: &TypedWorld) {
    let (client, _service) = shop(world).await;
    let orders = OrdersClient::new(&client);
    let broken = || {
        let items = [
            Ok(order(1)),
            Ok(order(2)),
            Err(Status::data_loss("the file is torn")),
        ];
        Streaming::new(futures::stream::iter(items))
    };
    let whole = orders.place_all(broken()).timeout(LIMIT).await;
    let answers = orders.echo(broken()).timeout(LIMIT).await.unwrap();
    for status in [whole.unwrap_err(), answers.collect().await.unwrap_err()] {
        let said = (status.code(), status.message());
        assert_eq!(said, (Code::DataLoss, "the file is torn"));
    }
    assert_eq!(
        orders.place(order(3)).timeout(LIMIT).await,
        Ok(Receipt { items: 3 })
    );
}

/// A stream that is opened where one request is expected, and ends without one, is `InvalidArgument`.
pub async fn a_stream_that_ends_before_its_request_is_told(world: &TypedWorld) {
    let (client, _service) = shop(world).await;
    let status = open(&client, "Orders.List", &[]).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    assert_eq!(open(&client, "Orders.List", &["1"]).await.unwrap().len(), 1);
}

/// A message in the middle that does not decode ends its stream, and what is said names the field.
pub async fn a_message_that_does_not_decode_ends_its_stream(world: &TypedWorld) {
    let (client, _service) = shop(world).await;
    let items = [
        r#"{"id":1,"lines":[]}"#,
        r#"{"id":2,"lines":[7]}"#,
        r#"{"id":3,"lines":[]}"#,
    ];
    for endpoint in ["Orders.PlaceAll", "Orders.Echo"] {
        let status = open(&client, endpoint, &items).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{endpoint}: {status}");
        assert!(status.message().contains("lines[0]"), "{endpoint}: {status}");
    }
    let orders = OrdersClient::new(&client);
    assert_eq!(
        orders.place(order(3)).timeout(LIMIT).await,
        Ok(Receipt { items: 3 })
    );
}

#[micro::service(name = "orders")]
trait Deaf {
    async fn one(&self, ctx: &Context, orders: Streaming<Order>) -> Result<u32, Status>;
    async fn many(&self, ctx: &Context, orders: Streaming<Order>) -> Result<Streaming<u32>, Status>;
}

struct Post;

impl Deaf for Post {
    async fn one(&self, _: &Context, _: Streaming<Order>) -> Result<u32, Status> {
        Ok(1)
    }

    async fn many(&self, _: &Context, orders: Streaming<Order>) -> Result<Streaming<u32>, Status> {
        // It keeps what it does not read until it has answered.
        let answers = futures::stream::iter([Ok(1), Ok(2)]);
        Ok(Streaming::new(answers.inspect(move |_| {
            let _held = &orders;
        })))
    }
}

/// A handler that never reads still answers, though its caller would send for ever.
pub async fn a_handler_that_never_reads_its_stream_answers(world: &TypedWorld) {
    let (client, _service) = serving(world, DeafServer::new(Post)).await;
    let deaf = DeafClient::new(&client);
    let endless = || Streaming::new(futures::stream::repeat_with(|| Ok(order(1))));
    assert_eq!(deaf.one(endless()).timeout(LIMIT).await, Ok(1));
    let answers = deaf.many(endless()).timeout(LIMIT).await.unwrap();
    assert_eq!(answers.collect().await, Ok(vec![1, 2]));
    assert_eq!(deaf.one(endless()).timeout(LIMIT).await, Ok(1));
}
