//! Items of a stream that travel together, and ends of streams that know nothing of it.

use bytes::Bytes;
use futures::StreamExt;
use micro_core::rpc::FEATURES;
use micro_core::{Code, Context, Json, Message, Router, Streaming};

use super::RpcWorld;
use super::callers::{asking, by_hand, opening};
use super::handlers::{forever, router};
use super::peers::{Stage, receive};
use super::stage::{PATIENCE, SERVICE, pair};

/// More than any number of items that travel together.
const MANY: usize = 10_000;

/// Items of all sizes, below and above what travels together, arrive in their order, each as it was.
pub async fn items_of_every_size_keep_their_order(world: &RpcWorld) {
    let sizes = [0, 1, 4_095, 4_096, 4_097, 2, 16_384, 0, 100_000, 3, 65_536, 7];
    let router = Router::new().bidi_stream("Test.Echo", |_: Context, items: Streaming<Bytes>| async {
        Ok(items)
    });
    let (client, _server) = pair(world, router).await;
    let items: Vec<_> = (0..sizes.len() * 25)
        .map(|index| {
            Bytes::from(vec![
                index as u8;
                sizes[index % sizes.len()] + index / sizes.len()
            ])
        })
        .collect();
    let call = client.bidi_stream::<Bytes, Bytes>(SERVICE, "Test.Echo", items.iter().cloned().collect());
    let echoed = call.timeout(PATIENCE).await.unwrap().collect().await.unwrap();
    assert_eq!(echoed.len(), items.len());
    for (index, (sent, came)) in items.iter().zip(&echoed).enumerate() {
        assert!(
            sent == came,
            "item {index} of {} bytes came with {}",
            sent.len(),
            came.len()
        );
    }
}

/// A handler that panics in the middle of its stream, or whose value cannot be written down, ends it with an error: after
/// the items before it, however many.
pub async fn a_panic_comes_after_the_items_before_it(world: &RpcWorld) {
    let router = Router::new()
        .server_stream("Test.Panic", |_: Context, Json(after): Json<u64>| async move {
            let numbers = forever().inspect(move |number| assert!(number != &Ok(Json(after)), "on purpose"));
            Ok(Streaming::new(numbers))
        })
        .server_stream(
            "Test.Unsayable",
            |_: Context, Json(after): Json<u64>| async move {
                let numbers =
                    forever().map(move |number| number.map(|Json(number)| Json(OrNot(number, after))));
                Ok(Streaming::new(numbers))
            },
        );
    let (client, _server) = pair(world, router).await;
    for endpoint in ["Test.Panic", "Test.Unsayable"] {
        for after in [0, 1, MANY as u64] {
            let call = client.server_stream::<_, Json<u64>>(SERVICE, endpoint, Json(after));
            let mut numbers = call.timeout(PATIENCE).await.unwrap();
            for expected in 0..after {
                assert_eq!(numbers.next().await, Some(Ok(Json(expected))));
            }
            let status = numbers.next().await.unwrap().unwrap_err();
            assert_eq!(status.code(), Code::Internal, "{status}");
            assert!(status.message().contains("on purpose"), "{status}");
            assert_eq!(numbers.next().await, None);
        }
    }
}

/// A number that can be written down unless it is the other one.
#[derive(serde::Deserialize)]
struct OrNot(u64, u64);

impl serde::Serialize for OrNot {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 == self.1 {
            true => Err(serde::ser::Error::custom("on purpose")),
            false => serializer.serialize_u64(self.0),
        }
    }
}

/// A caller that knows of packs may send items alone or together, and the handler sees no difference.
pub async fn items_come_alone_or_together(world: &RpcWorld) {
    let (mut socket, _server, _process) = by_hand(world, router()).await;
    socket
        .send(opening(0, "Test.Sum").with_header("Micro-Control", "items"))
        .await
        .unwrap();
    for message in [
        together(&[b"1", b"2"]),
        alone(b"4"),
        together(&[b"8"]),
        together(&[b"16", b"32", b"64"]),
    ] {
        socket.send(message).await.unwrap();
    }
    let half_close = Message::default().with_header("Micro-ID", "0");
    socket
        .send(half_close.with_header("Micro-Control", "half-close"))
        .await
        .unwrap();
    assert_eq!(receive(&mut socket).await.body, "127\n");
    assert_eq!(receive(&mut socket).await.headers.get("Micro-Error"), Some("EOS"));
}

/// A caller that does not say that it knows of packs, as those of the first version, gets each item in a message of its
/// own, with all that such a message says.
pub async fn a_caller_of_the_first_version_gets_each_item_alone(world: &RpcWorld) {
    let (mut socket, _server, _process) = by_hand(world, router()).await;
    socket.send(opening(0, "Test.Echo")).await.unwrap();
    for number in 0..100 {
        let mut item = opening(0, "Test.Echo");
        item.body = format!("{number}\n").into();
        socket.send(item).await.unwrap();
    }
    for number in 0..100 {
        let item = receive(&mut socket).await;
        assert_eq!(item.body, format!("{number}\n"));
        assert_eq!(item.headers.get("Micro-Endpoint"), Some("Test.Echo"));
        assert!(!item.headers.contains("Micro-Control"), "{item:?}");
    }
}

/// To a node of the first version nothing is said that it does not know, and what it says is understood.
pub async fn a_node_of_the_first_version_gets_each_item_alone(world: &RpcWorld) {
    let mut stage = Stage::saying(world, Some("1")).await;
    let numbers = Streaming::new(forever().take(1_000));
    let call = stage
        .client
        .bidi_stream::<Json<u64>, Json<u64>>(SERVICE, "Test.Echo", numbers);
    let mut answers = call.timeout(PATIENCE).await.unwrap();
    let mut socket = stage.listener.accept().await.unwrap();
    let opening = receive(&mut socket).await;
    assert!(!opening.headers.contains("Micro-Control"), "{opening:?}");
    for number in 0..1_000 {
        let item = receive(&mut socket).await;
        assert_eq!(item.headers.get("Micro-Endpoint"), Some("Test.Echo"));
        assert_eq!(item.body, format!("{number}\n"));
        let answer = Message::new(item.body).with_header("Micro-ID", "0");
        socket.send(answer).await.unwrap();
        assert_eq!(answers.next().await, Some(Ok(Json(number))));
    }
    let last = receive(&mut socket).await;
    assert_eq!(last.headers.get("Micro-Control"), Some("half-close"));
}

/// What is no pack ends its stream with an error that says so, its handler too, and no other call on the socket.
pub async fn a_malformed_pack_ends_its_stream_alone(world: &RpcWorld) {
    let (mut socket, instance, _process) = by_hand(world, router()).await;
    for (id, body) in malformed().into_iter().enumerate() {
        let opening = opening(id, "Test.Sum").with_header("Micro-Control", "items");
        socket.send(opening).await.unwrap();
        for body in [together(&[b"1", b"2"]).body, body.into(), together(&[b"3"]).body] {
            socket
                .send(of_stream(id, body).with_header("Micro-Control", "items"))
                .await
                .unwrap();
        }
        let answer = receive(&mut socket).await;
        assert_eq!(answer.headers.get("Micro-ID"), Some(&*id.to_string()));
        let failure = answer.headers.get("Micro-Error").expect("a failure");
        assert!(failure.contains("pack"), "{failure}");
        while instance.server.in_flight() > 0 {
            tokio::task::yield_now().await;
        }
        socket.send(asking(99)).await.unwrap();
        assert_eq!(receive(&mut socket).await.body, "42\n");
    }
}

/// A node that sends what is no pack ends the stream with an error, after the items before it, and it is told.
pub async fn a_malformed_pack_comes_after_the_items_before_it(world: &RpcWorld) {
    for body in malformed() {
        let mut stage = Stage::saying(world, Some(FEATURES)).await;
        let call = stage
            .client
            .server_stream::<_, Json<u64>>(SERVICE, "Test.Count", Json(9_u64));
        let mut numbers = call.timeout(PATIENCE).await.unwrap();
        let mut socket = stage.listener.accept().await.unwrap();
        for body in [together(&[b"0", b"1"]).body, body.into()] {
            let items = Message::new(body).with_header("Micro-ID", "0");
            socket
                .send(items.with_header("Micro-Control", "items"))
                .await
                .unwrap();
        }
        for expected in 0..2 {
            assert_eq!(numbers.next().await, Some(Ok(Json(expected))));
        }
        let status = numbers.next().await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::Internal, "{status}");
        loop {
            let message = receive(&mut socket).await;
            if message.headers.get("Micro-Control") == Some("cancel") {
                break;
            }
        }
    }
}

/// What is no pack: an empty one, lengths that lie, and one that is cut off.
fn malformed() -> [&'static [u8]; 5] {
    [
        b"",
        b"\0\0\0",
        b"\0\0\0\x02x",
        b"\0\0\0\x01x\0\0",
        b"\xff\xff\xff\xff\xff",
    ]
}

/// A message of the stream with that id.
pub(super) fn of_stream(id: usize, body: impl Into<Bytes>) -> Message {
    Message::new(body)
        .with_header("Micro-Stream", id.to_string())
        .with_header("Micro-ID", id.to_string())
}

fn alone(item: &'static [u8]) -> Message {
    of_stream(0, item)
}

/// Items of the stream 0 in one message.
pub(super) fn together(items: &[&[u8]]) -> Message {
    let mut body = Vec::new();
    for item in items {
        body.extend_from_slice(&(item.len() as u32).to_be_bytes());
        body.extend_from_slice(item);
    }
    of_stream(0, body).with_header("Micro-Control", "items")
}
