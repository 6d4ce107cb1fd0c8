//! A whole server, on a real nats-server, and callers that send it any packets: made of good ones, by dice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says how to repeat it"
)]

#[path = "support/raw.rs"]
mod raw;
mod support;

use std::time::Duration;

use futures::StreamExt;
use micro_conformance::nats_server::NatsServer;
use micro_core::{
    Context, DialOptions, Json, Message, Router, Server, ServerOptions, Socket, Status, Streaming,
};
use micro_core::{ListenOptions, Transport};
use tokio::time::timeout;
use transport_nats::NatsTransport;

use raw::{FIRST, MORE, RESET, Raw, frame, hello, packet, varint};
use support::{connection, transport};

/// How long what ends may take. It bounds a failure: the transport gives silent callers up after 3 s.
const LIMIT: Duration = Duration::from_secs(60);

/// How many callers there are at a time.
const CALLERS: usize = 8;

/// After how many packets there is a good call, and new callers.
const ROUND: usize = 250;

struct Dice(u64);

impl Dice {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize
    }

    fn below(&mut self, bound: usize) -> usize {
        self.next() % bound
    }

    fn pick<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// The content of a request, as good as the dice want it.
fn request(dice: &mut Dice) -> Vec<u8> {
    let endpoints = [
        "Test.Double",
        "Test.Wait",
        "Test.Count",
        "Test.Sum",
        "Test.Unread",
        "Test.Echo",
        "Test.Nope",
        "",
    ];
    let kinds = ["application/json", "application/grpc", "text/csv"];
    let bodies = ["21", "null", "\"x\"", "{", "", "[[[[", "18446744073709551615"];
    let id = dice.below(4).to_string();
    let mut headers = vec![
        ("Micro-Service", "test"),
        ("Micro-Endpoint", dice.pick(&endpoints)),
        ("Content-Type", dice.pick(&kinds)),
        ("Micro-ID", &*id),
    ];
    match dice.below(6) {
        0 | 1 => headers.push(("Micro-Stream", &*id)),
        2 => headers.push(("Micro-Control", dice.pick(&["cancel", "half-close", "dance"]))),
        3 => headers.push(("Timeout", dice.pick(&["1", "soon", "9999999999999999999999"]))),
        4 => headers.push(("Micro-Error", "EOS")),
        _ => {}
    }
    let mut content = varint(headers.len());
    for (name, value) in headers {
        content.push(0);
        for text in [name, value] {
            content.extend(varint(text.len()));
            content.extend(text.as_bytes());
        }
    }
    content.extend(dice.pick(&bodies).as_bytes());
    content
}

/// One frame, or a few.
fn frames(dice: &mut Dice) -> Vec<u8> {
    let number = varint(dice.next() >> dice.below(64));
    match dice.below(16) {
        0..8 => frame(raw::MESSAGE, &request(dice)),
        8 | 9 => {
            let content = request(dice);
            let (one, other) = content.split_at(dice.below(content.len()));
            let first = frame(FIRST, &[&varint(content.len())[..], one].concat());
            [first, frame(MORE, other)].concat()
        }
        10 => frame(0x05, &[&number[..], &number].concat()),
        11 => frame(0x06, b""),
        12 => frame(0x07, &number),
        13 => frame(0x0a, b""),
        14 => frame(RESET, &number),
        _ => (0..dice.below(40)).map(|_| dice.next() as u8).collect(),
    }
}

/// A caller, and how many packets it has sent.
struct Caller {
    raw: Raw,
    sent: u64,
}

impl Caller {
    fn like(raw: &Raw) -> Self {
        Caller {
            raw: raw.another(),
            sent: 0,
        }
    }

    async fn say(&mut self, dice: &mut Dice) {
        let mut payload = Vec::new();
        if self.sent == 0 && dice.below(20) > 0 {
            payload.extend(hello());
        }
        for _ in 0..dice.below(4) {
            payload.extend(frames(dice));
        }
        // Once in a while, a packet is left out, or comes twice.
        let number = self.sent + u64::from(dice.below(50) == 0);
        let mut payload = packet((number % 0x80) as u8, &payload);
        if dice.below(8) == 0 {
            for _ in 0..=dice.below(4) {
                let index = dice.below(payload.len());
                payload[index] = dice.next() as u8;
            }
        }
        if dice.below(16) == 0 {
            payload.truncate(dice.below(payload.len()));
        }
        self.raw.say(payload).await;
        self.sent += 1;
    }
}

fn router() -> Router {
    Router::new()
        .unary("Test.Double", async |_: Context, Json(number): Json<u64>| {
            Ok(Json(number.wrapping_mul(2)))
        })
        .unary("Test.Wait", async |_: Context, Json(()): Json<()>| never().await)
        .server_stream("Test.Count", async |_: Context, Json(to): Json<u64>| {
            let numbers = futures::stream::iter(0..to.min(10_000));
            Ok(Streaming::new(numbers.map(|number| Ok(Json(number)))))
        })
        .client_stream("Test.Sum", async |_: Context, numbers: Streaming<Json<u64>>| {
            Ok(Json(numbers.count().await))
        })
        .client_stream(
            "Test.Unread",
            async |_: Context, _unread: Streaming<Json<u64>>| never().await,
        )
        .bidi_stream("Test.Echo", async |_: Context, numbers: Streaming<Json<u64>>| {
            Ok(numbers)
        })
}

async fn never() -> Result<Json<()>, Status> {
    std::future::pending().await
}

/// A good call, on a socket of its own. While the bad ones fill the server it may be refused, and then it is made again.
async fn ask(here: &NatsTransport, server: &Server) {
    let peer = DialOptions::default().with_peer(server.metadata().clone());
    let answered = async {
        loop {
            let mut near = here.dial(server.address(), peer.clone()).await.unwrap();
            match call(&mut near).await {
                Some(body) if body.trim_ascii() == b"42" => return,
                // Too many sockets, or too many requests.
                None | Some(_) => tokio::task::yield_now().await,
            }
        }
    };
    timeout(LIMIT, answered).await.expect("an answer to a good call");
}

async fn call(near: &mut Socket) -> Option<bytes::Bytes> {
    let request = Message::new("21")
        .with_header("Content-Type", "application/json")
        .with_header("Micro-Service", "test")
        .with_header("Micro-Endpoint", "Test.Double")
        .with_header("Micro-ID", "7");
    near.send(request).await.ok()?;
    Some(near.recv().await?.ok()?.body)
}

/// How many bytes of memory the process has in use.
fn in_use() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = pages.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// `MICRO_TEST_SEED` repeats it, and `MICRO_TEST_PACKETS` makes it longer than 10,000 packets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_packets_harm_no_server() {
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let seed = number("MICRO_TEST_SEED", 0x9e37_79b9_7f4a_7c15);
    let rounds = number("MICRO_TEST_PACKETS", 10_000) as usize / ROUND;
    println!("MICRO_TEST_SEED={seed}");
    let nats = NatsServer::start().await;
    let there = transport(&nats)
        .await
        .with_max_sockets(64)
        .with_keepalive(Duration::from_secs(3));
    let listener = there.listen(ListenOptions::default()).await.unwrap();
    let listening = Raw::new(&connection(&nats).await, &listener);
    let options = ServerOptions::default().with_max_concurrent_requests(32);
    let server = Server::serve(listener, router(), options);
    let here = transport(&nats).await;
    let mut dice = Dice(seed);
    let mut middle = None;
    for round in 0..rounds {
        if round == rounds / 2 {
            middle = Some(in_use());
        }
        let mut callers: Vec<_> = (0..CALLERS).map(|_| Caller::like(&listening)).collect();
        for _ in 0..ROUND {
            let caller = &mut callers[dice.below(CALLERS)];
            caller.say(&mut dice).await;
            // Most have lost their socket by then.
            if dice.below(8) == 0 {
                *caller = Caller::like(&listening);
            }
        }
        ask(&here, &server).await;
    }
    let grown = in_use().saturating_sub(middle.unwrap());
    println!(
        "memory grew by {} KiB in the second half; {:?}",
        grown >> 10,
        there.ignored()
    );
    assert!(grown < 64 << 20, "{grown} bytes");
    let gone = async {
        while server.in_flight() > 0 || there.sockets() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LIMIT, gone)
        .await
        .expect("calls and sockets of callers that are gone end");
}
