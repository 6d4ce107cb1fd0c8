//! What is bounded, and what is refused beyond.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use micro_conformance::nats_server::NatsServer;
use micro_core::{DialOptions, ErrorKind, ListenOptions, Message, PluginConfig, Transport};
use transport_nats::{Encoding, NatsTransport};

use support::{accept, connection, dial, listen, transport};

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_envelopes_that_falls_too_far_behind_costs_its_own_socket() {
    let server = NatsServer::start().await;
    let here = transport(&server).await.with_encoding(Encoding::GoMicro);
    let there = transport(&server).await;
    let mut listener = listen(&there).await;
    let (flooded, mut near) = (dial(&here, &listener).await, dial(&here, &listener).await);
    let (mut unread, mut far) = (accept(&mut listener).await, accept(&mut listener).await);
    let (mut sender, mut receiver) = flooded.split();
    // Until the listener gives the socket up, and says so. Its process is not outrun: that would cost all its sockets.
    let mut sent = 0;
    while sender.send(Message::new("flood")).await.is_ok() {
        sent += 1;
        if sent % 1024 == 0 {
            near.send(Message::new("pace")).await.unwrap();
            assert_eq!(far.recv().await.unwrap().unwrap().body, "pace");
        }
    }
    let error = receiver.recv().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    near.send(Message::new("meanwhile")).await.unwrap();
    assert_eq!(far.recv().await.unwrap().unwrap().body, "meanwhile");
    let mut read = 0;
    let error = loop {
        match unread.recv().await.unwrap() {
            Ok(_) => read += 1,
            Err(error) => break error,
        }
    };
    assert!(error.lost() >= Some(1), "{error:?}");
    assert_eq!(read, 65_536);
    assert!(unread.recv().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_beyond_the_limit_are_refused_and_told() {
    let server = NatsServer::start().await;
    let here = transport(&server).await;
    let there = NatsTransport::new(connection(&server).await).with_max_sockets(2);
    let mut listener = listen(&there).await;
    let (_first, second) = (dial(&here, &listener).await, dial(&here, &listener).await);
    let _kept = accept(&mut listener).await;
    let mut third = dial(&here, &listener).await;
    let error = third.recv().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert_eq!(there.ignored().refused, 1);
    // One that ends makes room.
    let far = accept(&mut listener).await;
    drop((second, far));
    let _fourth = dial(&here, &listener).await;
    accept(&mut listener).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_sockets_need_one_connection_and_one_reply_subscription() {
    let server = NatsServer::start().await;
    let config = PluginConfig::default().with_addresses(&server.url());
    let (here, there) = (
        NatsTransport::connect(&config).await.unwrap(),
        NatsTransport::connect(&config).await.unwrap(),
    );
    let mut listener = listen(&there).await;
    let mut sockets = Vec::new();
    for _ in 0..10_000 {
        let mut near = dial(&here, &listener).await;
        let mut far = accept(&mut listener).await;
        far.send(Message::new("answer")).await.unwrap();
        assert_eq!(near.recv().await.unwrap().unwrap().body, "answer");
        sockets.push((near, far));
    }
    let connections = server.monitor("/connz?subs=1").await;
    assert_eq!(connections["num_connections"], 1);
    let mut subjects: Vec<_> = connections["connections"][0]["subscriptions_list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|subject| subject.as_str().unwrap().to_owned())
        .collect();
    subjects.retain(|subject| subject != listener.address().as_str());
    assert_eq!(subjects.len(), 1, "{subjects:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_above_the_servers_own_limit_is_refused() {
    let server = NatsServer::builder().config("max_payload: 4KB").start().await;
    let here = transport(&server).await.with_encoding(Encoding::GoMicro);
    let there = transport(&server).await;
    let limit = here.capabilities().max_message_size.unwrap();
    assert_eq!(limit, 2304);
    let mut listener = listen(&there).await;
    let mut near = dial(&here, &listener).await;
    let mut far = accept(&mut listener).await;
    let error = near.send(Message::new(vec![0; limit + 1])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
    assert!(error.to_string().contains("limit: 2304"), "{error}");
    // Escapes cost six bytes for one, which only the encoding shows.
    let escapes = Message::default().with_header("Bell", "\u{7}".repeat(limit - 4));
    let error = near.send(escapes).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
    near.send(Message::new(vec![0; limit])).await.unwrap();
    assert_eq!(far.recv().await.unwrap().unwrap().body.len(), limit);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_subject_is_permission_denied() {
    let users = r#"authorization { users = [ { user: a, password: b, permissions: {
        publish: ["_INBOX.>"], subscribe: ["_INBOX.>"] } } ] }"#;
    let server = NatsServer::builder().config(users).start().await;
    let url = server.url().replace("nats://", "nats://a:b@");
    let config = PluginConfig::default().with_addresses(&url);
    let here = NatsTransport::connect(&config).await.unwrap();
    let mut near = here
        .dial(&"denied".parse().unwrap(), DialOptions::default())
        .await
        .unwrap();
    near.send(Message::new("hello")).await.unwrap();
    let error = near.recv().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error:?}");
    assert!(error.to_string().contains("\"denied\""), "{error}");
    let options = ListenOptions::default().with_address("denied".parse().unwrap());
    let refused = match here.listen(options).await {
        Ok(mut listener) => listener.accept().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied, "{refused:?}");
    assert!(refused.to_string().contains("\"denied\""), "{refused}");
}
