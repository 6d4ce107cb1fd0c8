//! Messages above the limit of a transport.

use bytes::Bytes;
use micro_core::{Client, Code, Context, Json, Router, Status, Streaming};

use super::RpcWorld;
use super::stage::{Instance, PATIENCE, Process, SERVICE};
use crate::clause::skip;
use crate::value::sized;

/// A client and a node, and a body that is too large for the transport by itself; none where there is no limit.
async fn limited(world: &RpcWorld) -> Option<(Client, Instance, Bytes)> {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let Some(limit) = here.transport.capabilities().max_message_size else {
        skip("no limit for messages");
        return None;
    };
    let instance = there.serve("node", router()).await;
    Some((here.client(), instance, sized(limit + 1).body))
}

/// `Size.Of` and `Size.Sum` take bodies and tell their sizes; `Size.Make` and `Size.Stream` are told sizes.
fn router() -> Router {
    Router::new()
        .unary("Size.Of", |_: Context, body: Bytes| async move {
            Ok(number(body.len()))
        })
        .client_stream(
            "Size.Sum",
            |_: Context, mut bodies: Streaming<Bytes>| async move {
                let mut sum = 0;
                while let Some(body) = bodies.next().await {
                    sum += body?.len();
                }
                Ok(number(sum))
            },
        )
        .unary("Size.Make", |_: Context, Json(size): Json<usize>| async move {
            Ok(sized(size).body)
        })
        .server_stream(
            "Size.Stream",
            |_: Context, Json(sizes): Json<Vec<usize>>| async move {
                Ok(sizes
                    .into_iter()
                    .map(|size| sized(size).body)
                    .collect::<Streaming<_>>())
            },
        )
}

fn number(number: usize) -> Bytes {
    number.to_string().into()
}

async fn size_of(client: &Client, body: Bytes) -> Result<Bytes, Status> {
    client.unary(SERVICE, "Size.Of", body).timeout(PATIENCE).await
}

async fn make(client: &Client, size: usize) -> Result<usize, Status> {
    let call = client.unary(SERVICE, "Size.Make", Json(size)).timeout(PATIENCE);
    let body: Bytes = call.await?;
    Ok(body.len())
}

/// A request that is too large is refused before it is sent, and the calls beside it and after it are made.
pub async fn a_request_above_the_limit_is_resource_exhausted(world: &RpcWorld) {
    let Some((client, _server, large)) = limited(world).await else {
        return;
    };
    for _ in 0..3 {
        let (refused, small) = tokio::join!(size_of(&client, large.clone()), size_of(&client, "four".into()));
        let status = refused.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
        assert!(status.is_never_delivered());
        assert_eq!(small.unwrap(), "4");
    }
}

/// An answer that is too large fails its call alone, at once, and the others on the socket are answered.
pub async fn an_answer_above_the_limit_is_resource_exhausted(world: &RpcWorld) {
    let Some((client, _server, large)) = limited(world).await else {
        return;
    };
    for _ in 0..3 {
        let (refused, small) = tokio::join!(make(&client, large.len()), make(&client, 4));
        let status = refused.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
        assert!(!status.is_never_delivered(), "the handler has run");
        assert_eq!(small, Ok(4));
    }
}

/// A message that is too large ends its stream, in either direction, and no other call.
pub async fn an_item_above_the_limit_ends_its_stream_alone(world: &RpcWorld) {
    let Some((client, _server, large)) = limited(world).await else {
        return;
    };
    let bodies = [Bytes::from("1"), large.clone(), Bytes::from("3")];
    let call = client.client_stream::<_, Bytes>(SERVICE, "Size.Sum", bodies.into_iter().collect());
    let status = call.timeout(PATIENCE).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    let call = client.server_stream::<_, Bytes>(SERVICE, "Size.Stream", Json([1, large.len(), 3]));
    let mut bodies = call.timeout(PATIENCE).await.unwrap();
    assert_eq!(bodies.next().await, Some(Ok(sized(1).body)));
    let status = bodies.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    assert_eq!(bodies.next().await, None);
    assert_eq!(make(&client, 4).await, Ok(4));
}

/// A body of half of the limit passes in both directions, alone and in streams.
pub async fn a_body_well_below_the_limit_passes(world: &RpcWorld) {
    let Some((client, _server, large)) = limited(world).await else {
        return;
    };
    let half = large.slice(..large.len() / 2);
    assert_eq!(size_of(&client, half.clone()).await.unwrap(), number(half.len()));
    assert_eq!(make(&client, half.len()).await, Ok(half.len()));
    let call = client.client_stream(SERVICE, "Size.Sum", vec![half.clone(); 3].into_iter().collect());
    let sum: Bytes = call.timeout(PATIENCE).await.unwrap();
    assert_eq!(sum, number(3 * half.len()));
}
