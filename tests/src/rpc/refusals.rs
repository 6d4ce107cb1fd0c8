//! Calls that cannot succeed: each is answered, says why, and harms no other.

use std::collections::BTreeMap;

use bytes::Bytes;
use micro_core::rpc::Body;
use micro_core::{Client, Code, Context, Json, Request, Streaming};

use super::RpcWorld;
use super::handlers::{forever, router};
use super::stage::{PATIENCE, SERVICE, ask, pair, refused};

/// How an untyped call ended.
async fn send(
    client: &Client,
    endpoint: &'static str,
    content_type: &'static str,
    body: &'static str,
) -> Code {
    let request = Request::new(SERVICE, endpoint, Bytes::from(body)).with_content_type(content_type);
    let request = request.with_context(Context::new().with_timeout(PATIENCE));
    match client.send(request).await {
        Ok(_) => Code::Ok,
        Err(status) => status.code(),
    }
}

/// An endpoint that the service does not have is `Unimplemented`, and the answer lists those that it has.
pub async fn an_unknown_endpoint_is_unimplemented(world: &RpcWorld) {
    let (client, _server) = pair(world, router()).await;
    for endpoint in ["Test.Nope", "Nope.Double", "test.double"] {
        let status = refused(&client, endpoint, 1).await;
        assert_eq!(status.code(), Code::Unimplemented, "{endpoint}");
        assert!(status.message().contains("Test.Double"), "{status}");
    }
    let call = client.server_stream::<_, Json<u64>>(SERVICE, "Test.Nope", Json(1_u64));
    let outcome = call.timeout(PATIENCE).await.unwrap().collect().await;
    assert_eq!(outcome.unwrap_err().code(), Code::Unimplemented);
    let call = client.client_stream::<_, Json<u64>>(SERVICE, "Test.Nope", forever());
    assert_eq!(
        call.timeout(PATIENCE).await.unwrap_err().code(),
        Code::Unimplemented
    );
    assert_eq!(ask(&client, "Test.Double", 1).await, Ok(2));
}

/// A name that can never be right is `InvalidArgument`: said by the client at once, and by the server to others.
pub async fn an_ill_formed_name_is_invalid_argument(world: &RpcWorld) {
    let (client, _server) = pair(world, router()).await;
    for endpoint in [
        "",
        "Double",
        "a.Test.Double",
        "Test.",
        ".Double",
        "Test Double",
        "Test.*",
        "Test.>",
    ] {
        assert_eq!(
            refused(&client, endpoint, 1).await.code(),
            Code::InvalidArgument,
            "{endpoint:?}"
        );
        let code = send(&client, endpoint, "application/json", "1").await;
        assert_eq!(code, Code::InvalidArgument, "{endpoint:?}, said by the server");
    }
    for service in ["", " ", "a b", "te*t", ">", ".", "a..b"] {
        let call = client.unary::<_, Json<u64>>(service, "Test.Double", Json(1_u64));
        let status = call.timeout(PATIENCE).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{service:?}");
    }
    assert_eq!(ask(&client, "Test.Double", 1).await, Ok(2));
}

/// An encoding that the peer does not know is `Unimplemented`, with an answer.
pub async fn an_unknown_content_type_is_unimplemented(world: &RpcWorld) {
    let (client, _server) = pair(world, router()).await;
    for content_type in [
        "text/csv",
        "application/x-nope",
        "json",
        "application/protobuf",
        " ",
    ] {
        let code = send(&client, "Test.Double", content_type, "1").await;
        assert_eq!(code, Code::Unimplemented, "{content_type:?}");
    }
    assert_eq!(ask(&client, "Test.Double", 1).await, Ok(2));
}

/// A body that does not decode is `InvalidArgument`, with an answer, alone and in the middle of a stream.
pub async fn an_undecodable_body_is_invalid_argument(world: &RpcWorld) {
    let (client, _server) = pair(world, router()).await;
    for body in ["", "{", "\"text\"", "-1", "1 2", "\u{0}"] {
        let code = send(&client, "Test.Double", "application/json", body).await;
        assert_eq!(code, Code::InvalidArgument, "{body:?}");
    }
    let items = ["1", "2", "{", "4"].map(|item| Ok(Bytes::from(item)));
    let body = Body::Many(micro_core::rpc::BodyStream::new(futures::stream::iter(items)));
    let request = Request::new(SERVICE, "Test.Sum", body);
    let request = request.with_kind(micro_core::rpc::CallKind::ClientStream);
    let request = request.with_context(Context::new().with_timeout(PATIENCE));
    assert_eq!(
        client.send(request).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    assert_eq!(ask(&client, "Test.Double", 1).await, Ok(2));
}

/// An answer that cannot be encoded is `Internal`, with an answer, alone and in the middle of a stream.
pub async fn an_unencodable_answer_is_internal(world: &RpcWorld) {
    // JSON has no keys but text.
    type Unspeakable = Json<BTreeMap<(u8, u8), u8>>;
    let map = || Json(BTreeMap::from([((1, 2), 3)]));
    let router = router()
        .unary(
            "Bad.One",
            move |_: Context, _: Json<u64>| async move { Ok(map()) },
        )
        .server_stream("Bad.Many", move |_: Context, _: Json<u64>| async move {
            let items: Streaming<Unspeakable> = Streaming::from_iter([Json(BTreeMap::new()), map()]);
            Ok(items)
        });
    let (client, _server) = pair(world, router).await;
    let status = refused(&client, "Bad.One", 1).await;
    assert_eq!(status.code(), Code::Internal, "{status}");
    let call = client.server_stream::<_, Unspeakable>(SERVICE, "Bad.Many", Json(1_u64));
    let mut items = call.timeout(PATIENCE).await.unwrap();
    assert_eq!(items.next().await, Some(Ok(Json(BTreeMap::new()))));
    let status = items.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Internal, "{status}");
    assert_eq!(ask(&client, "Test.Double", 1).await, Ok(2));
}

/// An answer that the caller cannot read is `Internal`, alone and in a stream: the fault is not the caller's.
pub async fn an_unreadable_answer_is_internal(world: &RpcWorld) {
    let router = router()
        .unary("Bad.Text", |_: Context, _: Json<u64>| async {
            Ok(Json("text".to_owned()))
        })
        .server_stream("Bad.Texts", |_: Context, _: Json<u64>| async {
            let items = [1.into(), "text".into()].map(Json::<serde_json::Value>);
            Ok(Streaming::from_iter(items))
        });
    let (client, _server) = pair(world, router).await;
    let status = refused(&client, "Bad.Text", 1).await;
    assert_eq!(status.code(), Code::Internal, "{status}");
    let call = client.server_stream::<_, Json<u64>>(SERVICE, "Bad.Texts", Json(1_u64));
    let mut items = call.timeout(PATIENCE).await.unwrap();
    assert_eq!(items.next().await, Some(Ok(Json(1))));
    let status = items.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Internal, "{status}");
    assert_eq!(ask(&client, "Test.Double", 1).await, Ok(2));
}
