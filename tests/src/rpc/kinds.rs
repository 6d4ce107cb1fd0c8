//! What is asked, and what is answered.

use bytes::Bytes;
use futures::future::try_join_all;
use micro_core::rpc::CallKind;
use micro_core::{Client, Context, Json, Proto, Request, Response, Router, Status, Streaming};
use tower::service_fn;

use super::RpcWorld;
use super::handlers::{gate, router};
use super::stage::{PATIENCE, SERVICE, ask, pair};
use crate::value::delicate;

/// One message or many, in and out: each of the four kinds is answered.
pub async fn all_four_kinds_of_call_are_answered(world: &RpcWorld) {
    let (client, _server) = pair(world, router()).await;
    assert_eq!(ask(&client, "Test.Double", 21).await, Ok(42));
    let counted = client.server_stream(SERVICE, "Test.Count", Json(3_u64)).await;
    assert_eq!(values(counted).await, [0, 1, 2]);
    let numbers = (1..=4_u64).map(Json).collect();
    let summed = client.client_stream(SERVICE, "Test.Sum", numbers).await;
    assert_eq!(summed, Ok(Json(10_u64)));
    let numbers = (1..=3_u64).map(Json).collect();
    let echoed = client.bidi_stream(SERVICE, "Test.Echo", numbers).await;
    assert_eq!(values(echoed).await, [1, 2, 3]);
}

async fn values(numbers: Result<Streaming<Json<u64>>, Status>) -> Vec<u64> {
    let numbers = numbers.unwrap().collect().await.unwrap();
    numbers.into_iter().map(|Json(number)| number).collect()
}

/// Ten thousand calls wait at once, are answered in another order than they came in, and each gets what is its own.
pub async fn ten_thousand_calls_at_once_each_get_their_own_answer(world: &RpcWorld) {
    const CALLS: usize = 10_000;
    let (mut gate, router) = gate();
    let (client, _server) = pair(world, router).await;
    let calls = try_join_all((0..CALLS as u64).map(|number| {
        let client = client.clone();
        async move { Ok::<_, Status>((number, ask(&client, "Test.Wait", number).await?)) }
    }));
    let calls = tokio::spawn(calls);
    let mut arrivals = gate.arrivals(CALLS).await;
    // Neither the order in which they came nor its reverse: 3,571 and 10,000 have no common divisor.
    arrivals.sort_by_key(|arrival| (arrival.number * 3571) % CALLS as u64);
    for arrival in arrivals {
        arrival.answer();
    }
    for (number, answer) in calls.await.unwrap().unwrap() {
        assert_eq!(answer, number * 10);
    }
}

fn raw_echo() -> Router {
    Router::new()
        .unary("Raw.Echo", |_: Context, body: Bytes| async { Ok(body) })
        .bidi_stream("Raw.Stream", |_: Context, bodies: Streaming<Bytes>| async {
            Ok(bodies)
        })
}

async fn echo(client: &Client, body: &Bytes) -> Bytes {
    let call = client.unary(SERVICE, "Raw.Echo", body.clone());
    call.timeout(PATIENCE).await.unwrap()
}

/// No encoding on the way changes a byte, of single messages and of those in a stream.
pub async fn a_body_arrives_unchanged_both_ways(world: &RpcWorld) {
    let (client, _server) = pair(world, raw_echo()).await;
    let (names, bodies): (Vec<_>, Vec<_>) = delicate()
        .into_iter()
        .map(|(name, message)| (name, message.body))
        .unzip();
    for (name, body) in names.iter().zip(&bodies) {
        assert_eq!(echo(&client, body).await, body, "{name}");
    }
    let streamed = client
        .bidi_stream(SERVICE, "Raw.Stream", bodies.iter().cloned().collect())
        .await;
    let streamed: Streaming<Bytes> = streamed.unwrap();
    assert_eq!(streamed.collect().await.unwrap(), bodies);
}

/// A body without a byte is handed over as one, both ways, alone and in a stream.
pub async fn an_empty_body_is_a_body(world: &RpcWorld) {
    let (client, _server) = pair(world, raw_echo()).await;
    assert_eq!(echo(&client, &Bytes::new()).await, "");
    let bodies = vec![Bytes::new(); 3];
    let streamed = client
        .bidi_stream(SERVICE, "Raw.Stream", bodies.iter().cloned().collect())
        .await;
    let streamed: Streaming<Bytes> = streamed.unwrap();
    assert_eq!(streamed.collect().await.unwrap(), bodies);
}

/// The caller chooses how bodies are encoded, parameters and all, and the answer comes in the same.
pub async fn an_answer_comes_in_the_encoding_of_its_request(world: &RpcWorld) {
    let told = service_fn(|request: Request| async move {
        Ok::<_, Status>(
            Response::new(Bytes::from(String::from(request.content_type.clone())))
                .with_content_type(request.content_type),
        )
    });
    let router = raw_echo()
        .unary("Test.Proto", |_: Context, text: Proto<String>| async { Ok(text) })
        .route("Test.Told", CallKind::Unary, told);
    let (client, _server) = pair(world, router).await;
    let text = Proto("text".to_owned());
    let answer = client.unary(SERVICE, "Test.Proto", text.clone()).await;
    assert_eq!(answer, Ok(text));
    for content_type in [
        "application/json",
        "application/protobuf",
        "application/octet-stream",
        "application/json; charset=utf-8",
    ] {
        for endpoint in ["Test.Told", "Raw.Echo"] {
            let request = Request::new(SERVICE, endpoint, Bytes::from(content_type));
            let answer = client.send(request.with_content_type(content_type)).await;
            let answer = answer.unwrap();
            assert_eq!(answer.content_type, content_type);
            assert_eq!(answer.body.into_one(), content_type);
        }
    }
}
