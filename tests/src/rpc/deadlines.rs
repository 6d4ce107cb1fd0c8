//! How long callers wait, and what is left behind when they do no longer.

use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::future::join_all;
use micro_core::{Client, ClientOptions, Code, Context, Json, Router, ServerOptions, Status, Streaming};

use super::RpcWorld;
use super::handlers::{Arrival, Signal, forever, gate, router};
use super::stage::{PATIENCE, Process, SERVICE, ask, pair};
use crate::clause::tell;

/// A timeout that is meant to pass, once the node is known and its socket stands.
const SHORT: Duration = Duration::from_millis(200);

/// `Test.Left`, which answers how many milliseconds are left.
fn left() -> Router {
    Router::new()
        .unary("Test.Left", |context: Context, _: Json<()>| async move {
            Ok(Json(millis_left(&context)))
        })
        .server_stream("Test.StreamLeft", |context: Context, _: Json<()>| async move {
            Ok(Streaming::from_iter([Json(millis_left(&context))]))
        })
}

fn millis_left(context: &Context) -> Option<u64> {
    let left = context.remaining()?;
    Some(u64::try_from(left.as_millis()).unwrap_or(u64::MAX))
}

/// The handler knows how long its caller waits: not longer, and not much less.
pub async fn a_deadline_reaches_the_handler(world: &RpcWorld) {
    let (client, _server) = pair(world, left()).await;
    let call = client.unary(SERVICE, "Test.Left", Json(()));
    let Json(left): Json<Option<u64>> = call.timeout(Duration::from_secs(20)).await.unwrap();
    assert!((10_000..=20_000).contains(&left.unwrap()), "{left:?}");
    let call = client.server_stream(SERVICE, "Test.StreamLeft", Json(()));
    let answers: Streaming<Json<Option<u64>>> = call.timeout(Duration::from_secs(20)).await.unwrap();
    let left = answers.collect().await.unwrap()[0].0;
    assert!((10_000..=20_000).contains(&left.unwrap()), "{left:?}");
}

/// A unary call that says nothing else has the deadline of its client, and a stream has none.
pub async fn a_unary_call_has_the_deadline_of_its_client(world: &RpcWorld) {
    let process = Process::open(world).await;
    let _server = process.serve("node", left()).await;
    let options = ClientOptions::default().with_request_timeout(Duration::from_secs(100));
    let client = process.client_with(options);
    let Json(left): Json<Option<u64>> = client.unary(SERVICE, "Test.Left", Json(())).await.unwrap();
    assert!((90_000..=100_000).contains(&left.unwrap()), "{left:?}");
    let answers = client.server_stream(SERVICE, "Test.StreamLeft", Json(())).await;
    let answers: Streaming<Json<Option<u64>>> = answers.unwrap();
    assert_eq!(answers.collect().await.unwrap(), [Json(None)]);
}

/// A call that is made within another has what is left of its time, and not the default of its client.
pub async fn a_nested_call_inherits_what_is_left(world: &RpcWorld) {
    let process = Process::open(world).await;
    let client = process.client();
    let nested = client.clone();
    let router = left().unary("Test.Outer", move |context: Context, _: Json<()>| {
        let nested = nested.clone();
        async move {
            let call = nested.unary(SERVICE, "Test.Left", Json(())).context(&context);
            let Json(inner): Json<Option<u64>> = call.await?;
            Ok(Json((millis_left(&context), inner)))
        }
    });
    let _server = process.serve("node", router).await;
    let call = client.unary(SERVICE, "Test.Outer", Json(()));
    let left: Json<(Option<u64>, Option<u64>)> = call.timeout(Duration::from_secs(20)).await.unwrap();
    let Json((Some(outer), Some(inner))) = left else {
        panic!("{left:?}");
    };
    // The outer call is asked last, so what it has left is less; and the inner has no more than there was.
    assert!((10_000..=20_000).contains(&inner) && outer <= inner, "{left:?}");
}

/// When the deadline passes, the call ends, soon, and so does its handler.
pub async fn an_expired_call_ends_on_both_sides(world: &RpcWorld) {
    let (mut gate, gated) = gate();
    let (client, _server) = pair(world, gated.merge(router())).await;
    assert_eq!(ask(&client, "Test.Double", 1).await, Ok(2));
    let start = Instant::now();
    let call = client.unary::<_, Json<u64>>(SERVICE, "Test.Wait", Json(1_u64));
    let status = call.timeout(SHORT).await.unwrap_err();
    let took = start.elapsed();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(took >= SHORT && took < Duration::from_secs(2), "{took:?}");
    let arrival = gate.arrival().await;
    arrival.ended().await;
    assert!(arrival.context.is_cancelled());
}

/// The deadline of a stream ends it in the middle, with what came before it handed out.
pub async fn an_expired_stream_ends_on_both_sides(world: &RpcWorld) {
    let ended = Signal::default();
    let on_end = ended.clone();
    let router = router().server_stream("Test.Hang", move |_: Context, _: Json<()>| {
        let guard = on_end.on_drop();
        let hang = futures::stream::pending().map(move |number| {
            let _guard = &guard;
            Ok(Json(number))
        });
        async move { Ok(Streaming::new(forever().take(3).chain(hang))) }
    });
    let (client, _server) = pair(world, router).await;
    assert_eq!(ask(&client, "Test.Double", 1).await, Ok(2));
    let call = client.server_stream::<_, Json<u64>>(SERVICE, "Test.Hang", Json(()));
    let mut numbers = call.timeout(SHORT).await.unwrap();
    for expected in 0..3 {
        assert_eq!(numbers.next().await, Some(Ok(Json(expected))));
    }
    let status = numbers.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(numbers.next().await.is_none());
    ended.fired().await;
}

/// A deadline that has passed already makes no call.
pub async fn a_call_without_time_left_is_deadline_exceeded(world: &RpcWorld) {
    let (mut gate, router) = gate();
    let (client, _server) = pair(world, router).await;
    let call = client.unary::<_, Json<u64>>(SERVICE, "Test.Wait", Json(1_u64));
    let status = call.timeout(Duration::ZERO).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    let after = tokio::spawn(async move { ask(&client, "Test.Wait", 2).await });
    let arrival = gate.arrival().await;
    assert_eq!(arrival.number, 2);
    arrival.answer();
    assert_eq!(after.await.unwrap(), Ok(20));
}

/// Calls that time out leave no place taken, of those that a client and a server have a bounded number of.
pub async fn timed_out_calls_leave_no_entry_behind(world: &RpcWorld) {
    const PLACES: usize = 50;
    const WAVES: usize = 20;
    let (mut gate, router) = gate();
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    // Requests of one wave may still be on their way when the next begins.
    let limits = ServerOptions::default().with_max_concurrent_requests(2 * PLACES);
    let instance = there.serve_with("node", router, limits).await;
    let client = here.client_with(ClientOptions::default().with_max_in_flight(PLACES));
    let mut arrived = 0;
    // The first call finds the node, and takes as long as that takes.
    let first = client.clone();
    let first = tokio::spawn(async move { ask(&first, "Test.Wait", 1).await });
    gate.arrival().await.answer();
    assert_eq!(first.await.unwrap(), Ok(10));
    for _ in 0..WAVES {
        let codes = join_all((0..PLACES).map(|_| expire(&client))).await;
        assert_eq!(codes, [Code::DeadlineExceeded; PLACES]);
        while instance.server.in_flight() > 0 {
            tokio::task::yield_now().await;
        }
        arrived += gate.let_go();
    }
    assert!(arrived > PLACES, "only {arrived} calls have run");
    let calls = join_all((0..PLACES).map(|_| ask(&client, "Test.Wait", 1)));
    let answer = async { gate.arrivals(PLACES).await.into_iter().for_each(Arrival::answer) };
    let (answers, ()) = tokio::join!(calls, answer);
    assert_eq!(answers, vec![Ok(10); PLACES]);
}

/// Makes a call that nobody answers, and says how it ended.
async fn expire(client: &Client) -> Code {
    let call = client.unary::<_, Json<u64>>(SERVICE, "Test.Wait", Json(0_u64));
    match call.timeout(SHORT).await {
        Ok(answer) => panic!("{answer:?}"),
        Err(status) => status.code(),
    }
}

/// Callers with less time than it takes to find the nodes give up one after the other, until one finds them found.
pub async fn impatient_callers_find_the_service_in_the_end(world: &RpcWorld) {
    let (client, _server) = pair(world, router()).await;
    let mut impatience = 0;
    loop {
        let call = client.unary::<_, Json<u64>>(SERVICE, "Test.Double", Json(4_u64));
        match call.timeout(Duration::from_millis(10)).await {
            Ok(Json(answer)) => break assert_eq!(answer, 8),
            Err(status) => assert_eq!(status.code(), Code::DeadlineExceeded, "{status}"),
        }
        impatience += 1;
    }
    tell(format_args!("{impatience} gave up"));
}

/// A call made with the context of one that was given up is not made.
pub async fn a_cancelled_context_makes_no_call(world: &RpcWorld) {
    let (mut gate, router) = gate();
    let (client, _server) = pair(world, router).await;
    let context = Context::new();
    context.cancel();
    let call = client.unary::<_, Json<u64>>(SERVICE, "Test.Wait", Json(1_u64));
    let status: Status = call.context(&context).timeout(PATIENCE).await.unwrap_err();
    assert_eq!(status.code(), Code::Cancelled);
    let after = tokio::spawn(async move { ask(&client, "Test.Wait", 2).await });
    let arrival = gate.arrival().await;
    assert_eq!(arrival.number, 2);
    arrival.answer();
    assert_eq!(after.await.unwrap(), Ok(20));
}
