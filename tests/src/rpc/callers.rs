//! Callers that a clause plays by hand, message by message: what a server says to them, and what it stands.

use std::time::{Duration, Instant};

use micro_core::{DialOptions, Error, Message, Router, ServerOptions, Socket};

use super::RpcWorld;
use super::handlers::router;
use super::peers::receive;
use super::stage::{Instance, Process, SERVICE, ask};

/// A server, and a socket to it on which a clause says what it likes.
pub(super) async fn by_hand(world: &RpcWorld, router: Router) -> (Socket, Instance, Process) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let instance = there.serve("node", router).await;
    let peer = DialOptions::default().with_peer(instance.server.metadata().clone());
    let socket = here
        .transport
        .dial(instance.server.address(), peer)
        .await
        .unwrap();
    (socket, instance, there)
}

/// A good request.
pub(super) fn asking(id: usize) -> Message {
    Message::new("21")
        .with_header("Content-Type", "application/json")
        .with_header("Micro-Service", SERVICE)
        .with_header("Micro-Endpoint", "Test.Double")
        .with_header("Micro-ID", id.to_string())
}

/// What opens a stream.
pub(super) fn opening(id: usize, endpoint: &'static str) -> Message {
    let mut opening = asking(id).with_header("Micro-Stream", id.to_string());
    opening.headers.insert("Micro-Endpoint", endpoint);
    opening
}

/// Every request gets one answer under its id, however bad it is: go-micro's callers take a second one for the next.
pub async fn every_request_is_answered_once(world: &RpcWorld) {
    let (mut socket, _server, _process) = by_hand(world, router()).await;
    let mut requests = vec![asking(0); 12];
    let mut spoil = |index: usize, header: &'static str, value: &'static str| {
        requests[index].headers.insert(header, value);
    };
    spoil(1, "Micro-Endpoint", "Test.Nope");
    spoil(2, "Micro-Endpoint", "");
    spoil(3, "Micro-Endpoint", "ill-formed");
    spoil(4, "Content-Type", "text/csv");
    spoil(5, "Content-Type", "application/grpc");
    spoil(6, "Timeout", "soon");
    spoil(7, "Timeout", "99999999999999999999999");
    requests[8].headers.remove("Micro-Endpoint");
    requests[9].headers.remove("Content-Type");
    requests[10].body = "{".into();
    requests[11].body = "".into();
    for (id, request) in requests.iter_mut().enumerate() {
        request.headers.insert("Micro-ID", id.to_string());
        socket.send(request.clone()).await.unwrap();
    }
    let mut answered = vec![0; requests.len()];
    while answered.iter().sum::<usize>() < requests.len() {
        answered[id(&receive(&mut socket).await)] += 1;
    }
    socket.send(asking(99)).await.unwrap();
    let last = receive(&mut socket).await;
    assert_eq!((id(&last), &last.body[..]), (99, &b"42\n"[..]));
    assert!(answered.iter().all(|count| *count == 1), "{answered:?}");
}

fn id(answer: &Message) -> usize {
    answer.headers.get("Micro-ID").expect("an id").parse().unwrap()
}

/// Words for calls that do not exist, and messages that say nothing, disturb no call of the socket.
pub async fn words_about_no_call_are_passed_over(world: &RpcWorld) {
    let (mut socket, _server, _process) = by_hand(world, router()).await;
    let word = |name: &'static str, value: &'static str| Message::default().with_header(name, value);
    for about in ["7", "", "no number"] {
        for word in [
            word("Micro-Control", "cancel"),
            word("Micro-Control", "half-close"),
            word("Micro-Error", "EOS"),
            word("Micro-Error", "{\"code\":500}"),
        ] {
            socket.send(word.with_header("Micro-ID", about)).await.unwrap();
        }
    }
    socket.send(asking(1)).await.unwrap();
    let answer = receive(&mut socket).await;
    assert_eq!((id(&answer), &answer.body[..]), (1, &b"42\n"[..]));
}

/// A peer that does not read what it asked for costs itself, and neither other callers nor the end of the server.
pub async fn a_peer_that_does_not_read_harms_nobody(world: &RpcWorld) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let options = ServerOptions::default().with_max_concurrent_requests(100_000);
    let instance = there.serve_with("node", router(), options).await;
    let peer = DialOptions::default().with_peer(instance.server.metadata().clone());
    let socket = here
        .transport
        .dial(instance.server.address(), peer)
        .await
        .unwrap();
    let (mut sender, unread) = socket.split();
    // Where there is flow control, this waits for the reader, until the server is gone.
    let flood = tokio::spawn(async move {
        for id in 0..5_000 {
            sender.send(asking(id)).await?;
        }
        Ok::<_, Error>(sender)
    });
    let client = here.client();
    for number in 0..500 {
        assert_eq!(ask(&client, "Test.Double", number).await, Ok(number * 2));
    }
    let start = Instant::now();
    instance.leave(Duration::from_millis(100)).await;
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    drop(unread);
    flood.await.unwrap().ok();
}

/// A caller that opens a stream and says nothing more is no trouble: its handler ends with it.
pub async fn a_stream_that_is_only_opened_ends_with_its_caller(world: &RpcWorld) {
    let (mut socket, instance, _process) = by_hand(world, router()).await;
    socket.send(opening(0, "Test.Sum")).await.unwrap();
    while instance.server.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    drop(socket);
    while instance.server.in_flight() > 0 {
        tokio::task::yield_now().await;
    }
}
