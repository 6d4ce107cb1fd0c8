//! What handlers end with, and what is refused because there is too much of it.

use futures::StreamExt;
use futures::future::join_all;
use micro_core::observe::{Loss, losses};
use micro_core::{Client, ClientOptions, Code, Context, Json, Router, ServerOptions, Status, Streaming};

use super::RpcWorld;
use super::handlers::{Arrival, forever, gate, router};
use super::stage::{PATIENCE, Process, SERVICE, ask, pair, refused};

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
    let before = losses().get(Loss::Shed);
    for status in join_all((0..50).map(|_| refused(&client, "Test.Wait", 100))).await {
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
        assert!(status.is_never_delivered());
    }
    assert!(losses().get(Loss::Shed) >= before + 50, "they are in no count");
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
