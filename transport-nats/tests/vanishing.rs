//! Peers that vanish without a word, and connections that are lost.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::time::{Duration, Instant};

use micro_conformance::nats_server::NatsServer;
use micro_core::{DialOptions, ErrorKind, Message, PluginConfig, Transport};
use nats_common::Connection;
use transport_nats::NatsTransport;

use support::{Process, accept, connection, dial, listen, transport};

/// The promise for a peer that vanishes, and a little for a busy machine.
const BOUND: Duration = Duration::from_secs(17);

async fn transport_in(process: &Process, server: &NatsServer) -> NatsTransport {
    let config = PluginConfig::default().with_addresses(&server.url());
    process
        .run(async move { NatsTransport::new(Connection::open(&config).await.unwrap()) })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_killed_listener_is_told() {
    let server = NatsServer::start().await;
    let (here, process) = (transport(&server).await, Process::start());
    let there = transport_in(&process, &server).await;
    let mut listener = listen(&there).await;
    let mut near = dial(&here, &listener).await;
    let far = accept(&mut listener).await;
    process.kill((listener, far));
    let start = Instant::now();
    let error = near.recv().await.unwrap().unwrap_err();
    assert_eq!(
        (error.kind(), error.undelivered()),
        (ErrorKind::Unavailable, 0),
        "{error:?}"
    );
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
    assert!(near.recv().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_killed_dialler_is_told() {
    let server = NatsServer::start().await;
    let (there, process) = (transport(&server).await, Process::start());
    let here = transport_in(&process, &server).await;
    let mut listener = listen(&there).await;
    let near = dial(&here, &listener).await;
    let mut far = accept(&mut listener).await;
    process.kill((near, here));
    let start = Instant::now();
    let error = far.recv().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
    assert!(far.send(Message::new("late")).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_takes_and_never_answers_is_given_up() {
    let server = NatsServer::start().await;
    let here = transport(&server).await;
    // It says that it is ours, and is nobody.
    let model = listen(&here).await;
    let silent = connection(&server).await;
    let _feed = silent.subscribe("silent", None, 1000).await.unwrap();
    let peer = DialOptions::default().with_peer(model.metadata().clone());
    let mut near = here.dial(&"silent".parse().unwrap(), peer).await.unwrap();
    near.send(Message::new("hello")).await.unwrap();
    let start = Instant::now();
    let error = near.recv().await.unwrap().unwrap_err();
    assert_eq!(
        (error.kind(), error.undelivered()),
        (ErrorKind::Unavailable, 0),
        "{error:?}"
    );
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_sockets_of_living_peers_stay_open() {
    let server = NatsServer::start().await;
    let (here, there) = (transport(&server).await, transport(&server).await);
    let mut listener = listen(&there).await;
    let mut near = dial(&here, &listener).await;
    let mut far = accept(&mut listener).await;
    let silence = tokio::time::timeout(BOUND, near.recv()).await;
    assert!(silence.is_err(), "{silence:?}");
    far.send(Message::new("still here")).await.unwrap();
    assert_eq!(near.recv().await.unwrap().unwrap().body, "still here");
    near.send(Message::new("so am I")).await.unwrap();
    assert_eq!(far.recv().await.unwrap().unwrap().body, "so am I");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_ends_sockets_and_not_listeners() {
    let mut server = NatsServer::start().await;
    let (here, there) = (transport(&server).await, transport(&server).await);
    let mut listener = listen(&there).await;
    let mut near = dial(&here, &listener).await;
    let mut far = accept(&mut listener).await;
    server.kill().await;
    for end in [&mut near, &mut far] {
        let error = end.recv().await.unwrap().unwrap_err();
        assert_eq!(
            (error.kind(), error.undelivered()),
            (ErrorKind::Unavailable, 0),
            "{error:?}"
        );
        assert!(end.recv().await.is_none());
        let error = end.send(Message::new("late")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    }
    // A dial without a connection waits with its first message.
    let peer = DialOptions::default().with_peer(listener.metadata().clone());
    let mut later = here.dial(listener.address(), peer).await.unwrap();
    let (sent, ()) = tokio::join!(later.send(Message::new("early")), server.restart());
    sent.unwrap();
    // Whether the listener or the dialler was back first, one of the dials arrives.
    drop(later);
    loop {
        let _near = dial(&here, &listener).await;
        let accepted = tokio::time::timeout(Duration::from_millis(200), listener.accept()).await;
        if let Ok(mut far) = accepted.map(Result::unwrap) {
            let body = far.recv().await.unwrap().unwrap().body;
            assert!(body == "hello" || body == "early", "{body:?}");
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_side_that_loses_its_connection_tells_the_other() {
    let accounts = r#"
        accounts { A: { users: [ { user: a, password: a } ] }, S: { users: [ { user: sys, password: sys } ] } }
        system_account: S
        no_auth_user: a"#;
    let server = NatsServer::builder().config(accounts).start().await;
    let (here, there) = (transport(&server).await, transport(&server).await);
    let mut listener = listen(&there).await;
    let mut near = dial(&here, &listener).await;
    let mut far = accept(&mut listener).await;
    cut(&server, 1).await;
    let error = far.recv().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    drop(far);
    let error = near.recv().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
}

/// Cuts the connection of that index, in the order in which they were made.
async fn cut(server: &NatsServer, index: usize) {
    let connections = server.monitor("/connz?sort=start").await;
    let id = connections["connections"][index]["cid"].as_u64().unwrap();
    let system = async_nats::ConnectOptions::with_user_and_password("sys".into(), "sys".into());
    let client = system.connect(server.url()).await.unwrap();
    let name = server.monitor("/varz").await["server_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let subject = format!("$SYS.REQ.SERVER.{name}.KICK");
    let answer = client
        .request(subject, format!("{{\"cid\":{id}}}").into())
        .await
        .unwrap();
    assert!(!answer.payload.is_empty());
}
