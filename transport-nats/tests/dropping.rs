//! Drops need no runtime, and still tell the peer.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use micro_conformance::nats_server::NatsServer;
use micro_core::Message;

use futures::StreamExt;
use nats_common::Outgoing;
use transport_nats::NatsTransport;

use support::{accept, connection, dial, listen, transport};

#[test]
fn a_socket_dropped_outside_a_runtime_ends_its_peer() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, here, there, listener, near, mut far) = runtime.block_on(async {
        let server = NatsServer::start().await;
        let (here, there) = (transport(&server).await, transport(&server).await);
        let mut listener = listen(&there).await;
        let mut near = dial(&here, &listener).await;
        let far = accept(&mut listener).await;
        near.send(Message::new("last")).await.unwrap();
        (server, here, there, listener, near, far)
    });
    drop(near);
    runtime.block_on(async {
        assert_eq!(far.recv().await.unwrap().unwrap().body, "last");
        assert!(far.recv().await.is_none());
    });
    drop(listener);
    let near = runtime.block_on(async {
        let listener = listen(&there).await;
        dial(&here, &listener).await
    });
    drop((server, runtime));
    drop((near, far, here, there));
}

/// The words of an end travel together, and are not answered by a peer that has nothing to say any more.
#[tokio::test]
async fn a_question_its_answer_and_the_end_are_three_messages() {
    let server = NatsServer::start().await;
    let (here, there) = (connection(&server).await, connection(&server).await);
    let mut listener = listen(&NatsTransport::new(there.clone())).await;
    let mut wire = connection(&server).await.subscribe(">", None, 100).await.unwrap();
    let mut near = dial(&NatsTransport::new(here.clone()), &listener).await;
    let mut far = accept(&mut listener).await;
    far.send(Message::new("answer")).await.unwrap();
    assert_eq!(near.recv().await.unwrap().unwrap().body, "answer");
    drop(near);
    assert!(far.recv().await.is_none());
    far.close().await.unwrap();
    for connection in [here, there] {
        connection.publish(Outgoing::new("last", "")).await.unwrap();
    }
    let (mut packets, mut last) = (0, 0);
    while last < 2 {
        let message = wire.next().await.unwrap().unwrap();
        match message.subject.as_str() {
            "last" => last += 1,
            _ => packets += usize::from(message.payload.first().is_some_and(|first| first & 0x80 != 0)),
        }
    }
    assert_eq!(packets, 3);
}
