//! What sockets take in memory, measured from outside: so it runs in a process of its own, one test at a time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and tells what it measured"
)]

mod support;

use micro_conformance::nats_server::NatsServer;
use micro_core::Message;
use transport_nats::NatsTransport;

use support::{accept, connection, dial, listen};

/// How many bytes of memory the process has in use.
fn in_use() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = pages.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// Opens sockets that all stay open, each used once in both directions; how many bytes each pair of ends takes.
async fn open_sockets(count: usize) -> usize {
    let server = NatsServer::start().await;
    let connection = connection(&server).await;
    let open = || NatsTransport::new(connection.clone()).with_max_sockets(count);
    let (here, there) = (open(), open());
    let mut listener = listen(&there).await;
    let mut pairs = Vec::with_capacity(count);
    let mut before = in_use();
    for index in 0..count {
        // What the first ones take is mostly what they share.
        if index == count / 10 {
            before = in_use();
        }
        let mut near = dial(&here, &listener).await;
        let mut far = accept(&mut listener).await;
        far.send(Message::new("answer")).await.unwrap();
        assert_eq!(near.recv().await.unwrap().unwrap().body, "answer");
        pairs.push((near, far));
    }
    let each = (in_use() - before) / (count - count / 10);
    println!("{count} sockets: {each} bytes each, for both ends");
    // All of them are still there.
    for (near, far) in pairs.iter_mut().step_by(count / 1000) {
        near.send(Message::new("there")).await.unwrap();
        assert_eq!(far.recv().await.unwrap().unwrap().body, "there");
    }
    each
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_socket_takes_at_most_four_kib_on_each_side() {
    let each = open_sockets(10_000).await;
    assert!(each <= 2 * 4096, "{each} bytes");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo test --release -p transport-nats --test footprint -- --ignored --nocapture"]
async fn a_hundred_thousand_sockets_are_open_on_one_connection() {
    let each = open_sockets(100_000).await;
    assert!(each <= 2 * 4096, "{each} bytes");
}
