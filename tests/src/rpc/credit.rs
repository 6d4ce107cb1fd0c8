//! Streams whose reader takes its time: how much is made and sent that nobody has read.

use std::time::Duration;

use futures::StreamExt;
use micro_core::rpc::FEATURES;
use micro_core::{Code, Context, Json, Message, Router, Status, Streaming};

use super::RpcWorld;
use super::callers::{asking, by_hand, opening};
use super::handlers::{Runs, Signal, forever, router};
use super::packs::together;
use super::peers::{Stage, receive};
use super::stage::{PATIENCE, SERVICE, ask, pair};

/// How many items may wait unread, and a pack that is being read: what the options say without being asked.
const WAITING: usize = 16_384 + 4_096;

/// `Test.Late`, which sums up as many numbers as it is sent, but does not begin before it is let.
#[derive(Clone, Default)]
struct Late {
    called: Signal,
    begin: Signal,
    ended: Signal,
}

impl Late {
    fn router(&self) -> Router {
        let late = self.clone();
        router().client_stream(
            "Test.Late",
            move |_: Context, mut numbers: Streaming<Json<u64>>| {
                let (begin, guard) = (late.begin.clone(), late.ended.on_drop());
                late.called.fire();
                async move {
                    let _guard = guard;
                    begin.fired().await;
                    let mut sum = 0;
                    while let Some(number) = numbers.next().await {
                        sum += number?.0;
                    }
                    Ok(Json(sum))
                }
            },
        )
    }
}

/// A caller sends no more than a bounded number of items that the handler has not read, and none of them is lost.
pub async fn an_unread_stream_stops_its_caller(world: &RpcWorld) {
    const MANY: u64 = 40_000;
    let (late, made) = (Late::default(), Runs::default());
    let (client, _server) = pair(world, late.router()).await;
    let runs = made.clone();
    let numbers = forever().take(MANY as usize).inspect(move |_| runs.count());
    let call = client.client_stream::<_, Json<u64>>(SERVICE, "Test.Late", Streaming::new(numbers));
    let call = tokio::spawn(async move { call.timeout(PATIENCE * 3).await });
    late.called.fired().await;
    fill(&client, &made).await;
    assert!(made.get() <= WAITING, "{} items were made for nobody", made.get());
    late.begin.fire();
    assert_eq!(call.await.unwrap(), Ok(Json(MANY * (MANY - 1) / 2)));
}

/// Waits until items are made no more: they would be while other calls go there and back.
async fn fill(client: &micro_core::Client, made: &Runs) {
    let mut before = usize::MAX;
    while before != made.get() {
        before = made.get();
        for number in 0..100 {
            assert_eq!(ask(client, "Test.Double", number).await, Ok(number * 2));
        }
    }
}

/// A reader that has read some, and then stops, lets no more bytes be made than may wait: a handler's, and a caller's.
pub async fn an_unread_stream_is_bounded_in_bytes(world: &RpcWorld) {
    let (begin, made) = (Signal::default(), Runs::default());
    let (client, _server) = pair(world, texts(&begin, &made)).await;
    let mut sent = client
        .server_stream::<_, Json<String>>(SERVICE, "Test.Texts", Json(()))
        .await
        .unwrap();
    for number in 0..TEXTS {
        if number == READ {
            fill(&client, &made).await;
            assert!(made.get() <= READ + UNREAD, "{} were made", made.get());
        }
        assert_eq!(sent.next().await, Some(Ok(text(number))));
    }
    assert!(sent.next().await.is_none());
    let written = Runs::default();
    let counted = written.clone();
    let texts = futures::stream::iter(0..TEXTS).map(move |number| {
        counted.count();
        Ok(text(number))
    });
    let call = client.client_stream::<_, Json<usize>>(SERVICE, "Test.Read", Streaming::new(texts));
    let call = tokio::spawn(async move { call.timeout(PATIENCE * 3).await });
    fill(&client, &written).await;
    assert!(written.get() <= READ + UNREAD, "{} were sent", written.get());
    begin.fire();
    assert_eq!(call.await.unwrap(), Ok(Json(TEXTS)));
}

/// How many texts there are, and after how many a reader stops.
const TEXTS: usize = 500;
const READ: usize = 10;

/// A text, of 16 KiB.
fn text(number: usize) -> Json<String> {
    Json(format!("{number:016384}"))
}

/// How many of them may wait: 1 MiB, one on its way, and one that is made.
const UNREAD: usize = (1 << 20) / (16 << 10) + 2;

/// `Test.Texts`, which sends them all, and `Test.Read`, which reads some, and the rest when it is let.
fn texts(begin: &Signal, made: &Runs) -> Router {
    let (begin, made) = (begin.clone(), made.clone());
    let sent = move |_: Context, _: Json<()>| {
        let made = made.clone();
        let texts = futures::stream::iter(0..TEXTS).map(move |number| {
            made.count();
            Ok(text(number))
        });
        async move { Ok(Streaming::new(texts)) }
    };
    let read = move |_: Context, mut texts: Streaming<Json<String>>| {
        let begin = begin.clone();
        async move {
            let mut read = 0;
            while let Some(came) = texts.next().await {
                assert_eq!(came?, text(read));
                read += 1;
                if read == READ {
                    begin.fired().await;
                }
            }
            Ok(Json(read))
        }
    };
    router()
        .server_stream("Test.Texts", sent)
        .client_stream("Test.Read", read)
}

/// A conversation that its caller does not read stops on both sides, and goes on when it does: neither end waits for the
/// other.
pub async fn an_unread_conversation_goes_on_when_it_is_read(world: &RpcWorld) {
    let made = Runs::default();
    let (client, _server) = pair(world, router()).await;
    let runs = made.clone();
    let numbers = forever().inspect(move |_| runs.count());
    let call = client.bidi_stream::<_, Json<u64>>(SERVICE, "Test.Echo", Streaming::new(numbers));
    let mut echoed = call.await.unwrap();
    fill(&client, &made).await;
    assert!(
        made.get() <= 2 * WAITING,
        "{} items were made for nobody",
        made.get()
    );
    for expected in 0..60_000 {
        assert_eq!(echoed.next().await, Some(Ok(Json(expected))));
    }
}

/// A caller that leaves while the handler has not read what it sent ends the handler all the same.
pub async fn a_caller_of_an_unread_stream_can_leave(world: &RpcWorld) {
    let (late, made) = (Late::default(), Runs::default());
    let (client, _server) = pair(world, late.router()).await;
    let runs = made.clone();
    let numbers = forever().inspect(move |_| runs.count());
    let call = client.client_stream::<_, Json<u64>>(SERVICE, "Test.Late", Streaming::new(numbers));
    let call = tokio::spawn(async move { call.timeout(PATIENCE * 3).await });
    // A call that is given up before it has come to its handler ends none.
    late.called.fired().await;
    fill(&client, &made).await;
    call.abort();
    late.ended.fired().await;
}

/// A deadline, and a reader that leaves, end a handler that waits for its reader.
pub async fn a_handler_that_waits_for_its_reader_ends_with_its_call(world: &RpcWorld) {
    let (made, ended) = (Runs::default(), Signal::default());
    let (runs, on_end) = (made.clone(), ended.clone());
    let router = router().server_stream("Test.Forever", move |_: Context, _: Json<()>| {
        let (runs, guard) = (runs.clone(), on_end.on_drop());
        let numbers = forever().inspect(move |_| {
            let _guard = &guard;
            runs.count();
        });
        async move { Ok(Streaming::new(numbers)) }
    });
    let (client, _server) = pair(world, router).await;
    let unread = || client.server_stream::<_, Json<u64>>(SERVICE, "Test.Forever", Json(()));
    let numbers = unread().await.unwrap();
    fill(&client, &made).await;
    drop(numbers);
    ended.fired().await;
    let mut numbers = unread().timeout(Duration::from_secs(1)).await.unwrap();
    ended.fired().await;
    let status = loop {
        match numbers.next().await {
            Some(Ok(_)) => {}
            Some(Err(status)) => break status,
            None => panic!("a good end"),
        }
    };
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
}

/// A caller that sends more than it was allowed is told so, its handler ends, and no other call on the socket.
pub async fn a_caller_is_held_to_its_credit(world: &RpcWorld) {
    let late = Late::default();
    let (mut socket, _server, _process) = by_hand(world, late.router()).await;
    let stream = opening(0, "Test.Late").with_header("Micro-Control", "items");
    socket.send(stream).await.unwrap();
    let full = together(&[&b"1"[..]; 128]);
    for message in [full.clone(), full, together(&[b"1"])] {
        socket.send(message).await.unwrap();
    }
    assert!(failure(&receive(&mut socket).await).contains("allowed"));
    late.ended.fired().await;
    socket.send(asking(99)).await.unwrap();
    assert_eq!(receive(&mut socket).await.body, "42\n");
}

fn failure(answer: &Message) -> &str {
    answer.headers.get("Micro-Error").expect("a failure")
}

/// Credit that cannot be read ends its stream; words of credit for no stream are passed over.
pub async fn credit_that_cannot_be_read_ends_its_stream(world: &RpcWorld) {
    let (mut socket, _server, _process) = by_hand(world, router()).await;
    let credit = |id: &'static str, body: &'static [u8]| {
        let word = Message::new(body).with_header("Micro-ID", id);
        word.with_header("Micro-Control", "credit")
    };
    socket.send(credit("7", &[0; 16])).await.unwrap();
    for (id, wrong) in ["0", "1"].into_iter().zip([&b""[..], &[0; 17]]) {
        let stream = opening(id.parse().unwrap(), "Test.Sum").with_header("Micro-Control", "items");
        socket.send(stream).await.unwrap();
        socket.send(credit(id, &[0; 16])).await.unwrap();
        socket.send(credit(id, wrong)).await.unwrap();
        let answer = receive(&mut socket).await;
        assert_eq!(answer.headers.get("Micro-ID"), Some(id));
        assert!(failure(&answer).contains("credit"));
    }
}

/// A node that sends more than its caller allowed ends the stream, after what was allowed.
pub async fn a_node_is_held_to_its_credit(world: &RpcWorld) {
    let mut stage = Stage::saying(world, Some(FEATURES)).await;
    let call = stage
        .client
        .server_stream::<_, Json<u64>>(SERVICE, "Test.Count", Json(9_u64));
    let mut numbers = call.timeout(PATIENCE).await.unwrap();
    let mut socket = stage.listener.accept().await.unwrap();
    for count in [128, 128, 1] {
        socket.send(together(&vec![&b"1"[..]; count])).await.unwrap();
    }
    // It is told before anything is read.
    loop {
        if receive(&mut socket).await.headers.get("Micro-Control") == Some("cancel") {
            break;
        }
    }
    for _ in 0..256 {
        assert_eq!(numbers.next().await, Some(Ok(Json(1))));
    }
    let status: Status = numbers.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Internal, "{status}");
}
