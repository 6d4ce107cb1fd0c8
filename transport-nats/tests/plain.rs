//! Peers that speak go-micro and nothing else, and whatever else comes to an address.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::time::Duration;

use futures::StreamExt;
use micro_conformance::nats_server::NatsServer;
use micro_core::{DialOptions, ListenOptions, Message, Transport};
use nats_common::{Delivery, Mailbox, Outgoing, envelope};
use transport_nats::NatsTransport;

use support::{connection, listen, transport};

async fn answer(mailbox: &mut Mailbox) -> bytes::Bytes {
    match mailbox.next().await.unwrap().unwrap() {
        Delivery::Message(message) => message.payload,
        other => panic!("{other:?}"),
    }
}

fn envelope(body: &'static str) -> bytes::Bytes {
    envelope::encode(&Message::new(body)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_peer_gets_its_answers_and_nothing_else() {
    let server = NatsServer::start().await;
    let (there, raw) = (transport(&server).await, connection(&server).await);
    let mut listener = listen(&there).await;
    let mut inbox = raw.mailbox(100);
    let ask =
        |body| Outgoing::new(listener.address().as_str(), envelope(body)).with_reply(inbox.subject().clone());
    let (first, second) = (ask("first"), ask("second"));
    raw.publish(first).await.unwrap();
    let mut far = listener.accept().await.unwrap();
    assert_eq!(far.recv().await.unwrap().unwrap().body, "first");
    far.send(Message::new("answer")).await.unwrap();
    far.close().await.unwrap();
    // The same reply subject opens a new socket, as it does with go-micro.
    raw.publish(second).await.unwrap();
    let mut far = listener.accept().await.unwrap();
    assert_eq!(far.recv().await.unwrap().unwrap().body, "second");
    listener.close().await.unwrap();
    far.send(Message::new("answer")).await.unwrap();
    drop(far);
    assert_eq!(answer(&mut inbox).await, envelope("answer"));
    assert_eq!(answer(&mut inbox).await, envelope("answer"));
    // Whatever else was sent to it would be here by now.
    support::transport(&server).await;
    raw.fence().await.unwrap();
    assert!(futures::poll!(inbox.next()).is_pending());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_listener_gets_messages_and_nothing_else() {
    let server = NatsServer::start().await;
    let (here, raw) = (transport(&server).await, connection(&server).await);
    let mut feed = raw.subscribe("plain", None, 100).await.unwrap();
    let mut near = here
        .dial(&"plain".parse().unwrap(), DialOptions::default())
        .await
        .unwrap();
    for _ in 0..2 {
        near.send(Message::new("question")).await.unwrap();
        let message = feed.next().await.unwrap().unwrap();
        assert_eq!(message.payload, envelope("question"));
        raw.publish(Outgoing::new(message.reply.unwrap(), envelope("answer")))
            .await
            .unwrap();
        assert_eq!(near.recv().await.unwrap().unwrap().body, "answer");
    }
    near.close().await.unwrap();
    here.dial(&"plain".parse().unwrap(), DialOptions::default())
        .await
        .unwrap();
    raw.fence().await.unwrap();
    assert!(futures::poll!(feed.next()).is_pending());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_is_ignored_and_counted() {
    let server = NatsServer::start().await;
    let (there, raw) = (transport(&server).await, connection(&server).await);
    let mut listener = listen(&there).await;
    let inbox = raw.mailbox(1);
    let address = listener.address().as_str();
    let to = |payload: &'static [u8]| Outgoing::new(address, payload);
    for payload in [
        &b"[]"[..],
        b"{",
        b"text",
        b"\xff\xfe",
        b"{\"Header\":{},\"Body\":\"*\"}",
    ] {
        raw.publish(to(payload).with_reply(inbox.subject().clone()))
            .await
            .unwrap();
    }
    raw.publish(to(b"nowhere to answer to")).await.unwrap();
    raw.publish(to(b"{\"Header\":{\"Micro-Socket\":\"more\"},\"Body\":\"\"}").with_reply("a.b"))
        .await
        .unwrap();
    raw.publish(to(b"{\"Header\":{\"Micro-Socket\":\"fin @a.b\"},\"Body\":null}"))
        .await
        .unwrap();
    raw.publish(to(b"{\"Header\":{},\"Body\":\"\"}").with_reply(inbox.subject().clone()))
        .await
        .unwrap();
    let far = listener.accept().await.unwrap();
    assert_eq!(far.remote().as_str(), inbox.subject().as_str());
    let ignored = there.ignored();
    assert_eq!((ignored.unaddressed, ignored.stale, ignored.refused), (1, 1, 0));
    // The first byte of one says that it is a packet, of a version that nobody knows.
    assert_eq!((ignored.undecodable, ignored.newer), (4, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_plain_socket_ends_and_a_later_message_opens_another() {
    let server = NatsServer::start().await;
    let there = NatsTransport::new(connection(&server).await).with_idle_limit(Duration::from_secs(1));
    let raw = connection(&server).await;
    let mut listener = there.listen(ListenOptions::default()).await.unwrap();
    let inbox = raw.mailbox(1);
    let hello =
        Outgoing::new(listener.address().as_str(), envelope("hello")).with_reply(inbox.subject().clone());
    raw.publish(hello.clone()).await.unwrap();
    let mut first = listener.accept().await.unwrap();
    assert_eq!(first.recv().await.unwrap().unwrap().body, "hello");
    assert!(first.recv().await.is_none());
    raw.publish(hello).await.unwrap();
    let mut second = listener.accept().await.unwrap();
    assert_eq!(second.recv().await.unwrap().unwrap().body, "hello");
    drop(first);
    second.send(Message::new("still open")).await.unwrap();
}
