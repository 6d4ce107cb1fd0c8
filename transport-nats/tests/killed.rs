//! Peers that are killed as the operating system does it, and a server that restarts in the middle of a stream.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and a process tells its parent where it is"
)]

mod support;

use std::process::Stdio;
use std::time::{Duration, Instant};

use micro_conformance::nats_server::NatsServer;
use micro_core::{DialOptions, ErrorKind, Message, Socket, Transport};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use support::{accept, dial, listen, transport};

/// The variable that makes a process of [`a_process_that_listens`], and says which server it uses.
const SERVER: &str = "TRANSPORT_NATS_TEST_SERVER";

/// The promise for a peer that vanishes, and a little for a busy machine.
const BOUND: Duration = Duration::from_secs(17);

/// No test by itself: it is run by others, as a process of its own, and ends when it is killed.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_listens() {
    let Ok(url) = std::env::var(SERVER) else { return };
    let config = micro_core::PluginConfig::default().with_addresses(&url);
    let there = transport_nats::NatsTransport::connect(&config).await.unwrap();
    let mut listener = listen(&there).await;
    println!("\naddress={}", listener.address());
    let mut sockets = Vec::new();
    loop {
        let mut far = accept(&mut listener).await;
        far.send(Message::new("welcome")).await.unwrap();
        sockets.push(far);
    }
}

/// Starts it; and what a dialler needs to know.
async fn start(server: &NatsServer) -> (Child, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["a_process_that_listens", "--exact", "--nocapture"])
        .env(SERVER, server.url())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    loop {
        let line = lines.next_line().await.unwrap().expect("an address");
        if let Some((_, address)) = line.split_once("address=") {
            return (child, address.to_owned());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_killed_by_a_signal_ends_every_wait_for_it() {
    let server = NatsServer::start().await;
    let here = transport(&server).await;
    let model = listen(&here).await;
    let (mut child, address) = start(&server).await;
    let mut sockets = Vec::new();
    for _ in 0..10 {
        let peer = DialOptions::default().with_peer(model.metadata().clone());
        let mut near = here.dial(&address.parse().unwrap(), peer).await.unwrap();
        near.send(Message::new("hello")).await.unwrap();
        assert_eq!(near.recv().await.unwrap().unwrap().body, "welcome");
        sockets.push(near);
    }
    child.kill().await.unwrap();
    let start = Instant::now();
    for mut near in sockets {
        let error = near.recv().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert_eq!(error.undelivered(), 0, "{error:?}");
        assert!(near.recv().await.is_none());
    }
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
}

/// Sends numbers until the socket refuses.
async fn count_up(socket: Socket) {
    let (mut sender, _receiver) = socket.split();
    let mut number = 0_u64;
    while sender.send(Message::new(number.to_string())).await.is_ok() {
        number += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_in_the_middle_of_a_stream_ends_it_with_an_error() {
    let mut server = NatsServer::start().await;
    let (here, there) = (transport(&server).await, transport(&server).await);
    let mut listener = listen(&there).await;
    let mut near = dial(&here, &listener).await;
    let sending = tokio::spawn(count_up(accept(&mut listener).await));
    let mut expected = 0_u64;
    while expected < 1000 {
        assert_eq!(near.recv().await.unwrap().unwrap().body, expected.to_string());
        expected += 1;
    }
    server.kill().await;
    server.restart().await;
    let error = loop {
        match near.recv().await.expect("an error, and no good end") {
            Ok(message) => {
                assert_eq!(message.body, expected.to_string());
                expected += 1;
            }
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    sending.await.unwrap();
}
