//! Calls that cannot succeed: each is answered, says why, and harms no other.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::join_all;
use micro_core::rpc::Body;
use micro_core::{
    Client, ClientOptions, Code, Context, Json, Request, Router, ServerOptions, Status, Streaming,
};

use super::RpcWorld;
use super::handlers::{Arrival, forever, gate, router};
use super::stage::{PATIENCE, Process, SERVICE, ask, pair, refused};

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

/// A handler that panics answers with `Internal`, before and within its stream, and the server goes on.
pub async fn a_panic_is_internal_and_the_server_lives(world: &RpcWorld) {
    let router = router()
        .unary("Panic.Now", |_: Context, _: Json<u64>| async {
            panic!("on purpose") as Result<Json<u64>, Status>
        })
        .unary("Panic.Early", |_: Context, Json(number): Json<u64>| {
            assert!(number > 1, "on purpose");
            async move { Ok(Json(number)) }
        })
        .server_stream("Panic.Later", |_: Context, _: Json<u64>| async {
            let numbers = forever().inspect(|number| assert!(number != &Ok(Json(3)), "on purpose"));
            Ok(Streaming::new(numbers))
        });
    let (client, _server) = pair(world, router).await;
    for _ in 0..10 {
        for endpoint in ["Panic.Now", "Panic.Early"] {
            let status = refused(&client, endpoint, 1).await;
            assert_eq!(status.code(), Code::Internal, "{endpoint}");
            assert!(status.message().contains("on purpose"), "{status}");
        }
        let call = client.server_stream::<_, Json<u64>>(SERVICE, "Panic.Later", Json(1_u64));
        let numbers: Vec<_> = call
            .timeout(PATIENCE)
            .await
            .unwrap()
            .collect()
            .await
            .map_err(|status| status.code())
            .into_iter()
            .collect();
        assert!(numbers.is_empty());
        assert_eq!(ask(&client, "Test.Double", 1).await, Ok(2));
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

/// An answer that the caller cannot read is `Internal`: the fault is not the caller's.
pub async fn an_unreadable_answer_is_internal(world: &RpcWorld) {
    let router = router().unary("Bad.Text", |_: Context, _: Json<u64>| async {
        Ok(Json("text".to_owned()))
    });
    let (client, _server) = pair(world, router).await;
    let status = refused(&client, "Bad.Text", 1).await;
    assert_eq!(status.code(), Code::Internal, "{status}");
    assert_eq!(ask(&client, "Test.Double", 1).await, Ok(2));
}

/// Requests beyond the server's limit are refused, and their handlers never run; when there is room, all is well.
pub async fn too_many_requests_are_refused_and_never_run(world: &RpcWorld) {
    const LIMIT: usize = 4;
    let (mut gate, router) = gate();
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let options = ServerOptions::default().with_max_concurrent_requests(LIMIT);
    let _server = there.serve_with("node", router, options).await;
    let client = here.client();
    let calls: Vec<_> = (0..LIMIT as u64).map(|number| wait(&client, number)).collect();
    let arrivals = gate.arrivals(LIMIT).await;
    for status in join_all((0..50).map(|_| refused(&client, "Test.Wait", 100))).await {
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
        assert!(status.is_never_delivered());
    }
    arrivals.into_iter().for_each(Arrival::answer);
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap(), Ok(number as u64 * 10));
    }
    assert_eq!(gate.let_go(), 0);
    let call = wait(&client, 7);
    gate.arrival().await.answer();
    assert_eq!(call.await.unwrap(), Ok(70));
}

fn wait(client: &Client, number: u64) -> tokio::task::JoinHandle<Result<u64, Status>> {
    let client = client.clone();
    tokio::spawn(async move { ask(&client, "Test.Wait", number).await })
}

/// Calls beyond the client's own limit are refused before anything is sent.
pub async fn too_many_calls_in_flight_are_refused(world: &RpcWorld) {
    const LIMIT: usize = 4;
    let (mut gate, router) = gate();
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let _server = there.serve("node", router).await;
    let client = here.client_with(ClientOptions::default().with_max_in_flight(LIMIT));
    let calls: Vec<_> = (0..LIMIT as u64).map(|number| wait(&client, number)).collect();
    let arrivals = gate.arrivals(LIMIT).await;
    let status = refused(&client, "Test.Wait", 100).await;
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    assert!(status.is_never_delivered());
    arrivals.into_iter().for_each(Arrival::answer);
    for call in calls {
        assert!(call.await.unwrap().is_ok());
    }
    assert_eq!(gate.let_go(), 0);
}

/// Every code, every message and all details arrive as the handler said them.
pub async fn a_status_arrives_as_it_was_said(world: &RpcWorld) {
    let said = statuses();
    let telling = said.clone();
    let router = Router::new().unary("Test.Tell", move |_: Context, Json(index): Json<usize>| {
        let status = telling[index].clone();
        async move { Err(status) as Result<Json<u64>, Status> }
    });
    let (client, _server) = pair(world, router).await;
    for (index, said) in said.iter().enumerate() {
        let heard = refused(&client, "Test.Tell", index as u64).await;
        assert_eq!((heard.code(), heard.message()), (said.code(), said.message()));
        assert_eq!(heard.details(), said.details());
        assert!(!heard.is_never_delivered());
    }
}

fn statuses() -> Vec<Status> {
    let codes = [
        Code::Cancelled,
        Code::Unknown,
        Code::InvalidArgument,
        Code::DeadlineExceeded,
        Code::NotFound,
        Code::AlreadyExists,
        Code::PermissionDenied,
        Code::ResourceExhausted,
        Code::FailedPrecondition,
        Code::Aborted,
        Code::OutOfRange,
        Code::Unimplemented,
        Code::Internal,
        Code::Unavailable,
        Code::DataLoss,
        Code::Unauthenticated,
    ];
    let every_byte = (0..=u8::MAX).collect::<Vec<_>>();
    let plain = codes
        .iter()
        .map(|code| Status::new(*code, format!("it is {code}")));
    let detailed = codes
        .iter()
        .map(|code| Status::new(*code, "").with_details(every_byte.clone()));
    let delicate = ["", "EOS", "{\"code\":200}", "čeština 日本語 🦀 <&>\"\\\u{2028}\n"];
    let delicate = delicate.iter().map(|text| Status::aborted(*text));
    plain.chain(detailed).chain(delicate).collect()
}
