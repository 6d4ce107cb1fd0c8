//! Bodies that do not fit, in JSON: each is answered, says what is wrong with it and where, and harms no other.

use std::collections::BTreeMap;

use micro::prelude::*;
use micro::{Bytes, Request};

use super::TypedWorld;
use super::interface::{LIMIT, OrdersClient, Receipt, order, serving, shop};

/// What an endpoint says of a body that no client of ours would send.
pub(super) async fn said(client: &Client, endpoint: &'static str, body: &str) -> Result<Bytes, Status> {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let request = Request::new(OrdersClient::SERVICE, endpoint, body);
    let request = request.with_context(Context::new().with_timeout(LIMIT));
    Ok(client.send(request).await?.body.into_one())
}

/// Asks that a body is `InvalidArgument`, and that what is said has these words in it.
async fn assert_invalid(client: &Client, body: &str, words: &[&str]) {
    let status = said(client, "Orders.Place", body).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{body}: {status}");
    for word in words {
        assert!(
            status.message().contains(word),
            "{body}: {word:?} is not in {status}"
        );
    }
    // It has not done any harm.
    let placed = OrdersClient::new(client).place(order(3)).timeout(LIMIT).await;
    assert_eq!(placed, Ok(Receipt { items: 3 }));
}

/// However deep it is, the field that does not fit is named by its path.
pub async fn a_body_that_does_not_decode_names_its_field(world: &TypedWorld) {
    let (client, _service) = shop(world).await;
    let bad_type = r#"{"id":1,"lines":[{"item":"a","count":1,"size":"Small"},{"item":2}]}"#;
    assert_invalid(&client, bad_type, &["lines[1].item", "expected a string"]).await;
    assert_invalid(&client, r#"{"id":"one","lines":[]}"#, &["id", "expected u64"]).await;
    assert_invalid(&client, r#"{"id":1,"lines":null}"#, &["lines", "sequence"]).await;
    for broken in ["", "{", "[]", "null", "\u{0}", r#"{"id":1,"lines":[]} x"#] {
        assert_invalid(&client, broken, &[]).await;
    }
}

/// A caller may know more than we do.
pub async fn an_unknown_field_is_accepted(world: &TypedWorld) {
    let (client, _service) = shop(world).await;
    let body = r#"{"new":[{}],"id":1,"lines":[{"item":"a","count":2,"size":"Large","colour":"red"}]}"#;
    let answer = said(&client, "Orders.Place", body).await.unwrap();
    assert_eq!(answer, "{\"items\":2}\n");
}

/// What must be there and is not is named.
pub async fn a_missing_field_is_told(world: &TypedWorld) {
    let (client, _service) = shop(world).await;
    assert_invalid(&client, r#"{"id":1}"#, &["lines", "missing"]).await;
    let deep = r#"{"id":1,"lines":[{"item":"a","size":"Small"}]}"#;
    assert_invalid(&client, deep, &["lines[0]", "count", "missing"]).await;
}

/// A number that our type cannot hold is not cut to fit.
pub async fn a_number_out_of_range_is_told(world: &TypedWorld) {
    let (client, _service) = shop(world).await;
    for number in ["256", "-1", "1.5", "1e3", "99999999999999999999"] {
        let body = format!(r#"{{"id":1,"lines":[{{"item":"a","count":{number},"size":"Small"}}]}}"#);
        assert_invalid(&client, &body, &["lines[0].count", "u8"]).await;
    }
}

/// A value of an enumeration that we do not know is named, with those that we know.
pub async fn an_unknown_enum_value_is_told(world: &TypedWorld) {
    let (client, _service) = shop(world).await;
    let body = r#"{"id":1,"lines":[{"item":"a","count":1,"size":"Huge"}]}"#;
    assert_invalid(&client, body, &["lines[0].size", "Huge", "Small", "Large"]).await;
}

/// JSON has no keys but text.
type Unspeakable = BTreeMap<(u8, u8), u8>;

fn unspeakable() -> Unspeakable {
    BTreeMap::from([((1, 2), 3)])
}

#[micro::service(name = "orders")]
trait Maps {
    async fn one(&self, ctx: &Context, nothing: ()) -> Result<Unspeakable, Status>;
    async fn many(&self, ctx: &Context, nothing: ()) -> Result<Streaming<Unspeakable>, Status>;
    async fn ask(&self, ctx: &Context, map: Unspeakable) -> Result<(), Status>;
}

struct Atlas;

impl Maps for Atlas {
    async fn one(&self, _: &Context, (): ()) -> Result<Unspeakable, Status> {
        Ok(unspeakable())
    }

    async fn many(&self, _: &Context, (): ()) -> Result<Streaming<Unspeakable>, Status> {
        Ok([Unspeakable::new(), unspeakable()].into_iter().collect())
    }

    async fn ask(&self, _: &Context, _: Unspeakable) -> Result<(), Status> {
        Ok(())
    }
}

/// An answer that cannot be written down is `Internal`, with an answer, alone and after others of its stream; a request
/// that cannot be is refused before it is sent.
pub async fn an_answer_that_cannot_be_encoded_is_internal(world: &TypedWorld) {
    let (client, _service) = serving(world, MapsServer::new(Atlas)).await;
    let maps = MapsClient::new(&client);
    let status = maps.one(()).timeout(LIMIT).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal, "{status}");
    let mut answers = maps.many(()).timeout(LIMIT).await.unwrap();
    assert_eq!(answers.next().await, Some(Ok(Unspeakable::new())));
    let status = answers.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Internal, "{status}");
    let status = maps.ask(unspeakable()).timeout(LIMIT).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    assert_eq!(maps.ask(Unspeakable::new()).timeout(LIMIT).await, Ok(()));
}
