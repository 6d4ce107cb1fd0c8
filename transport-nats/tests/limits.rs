//! Sizes around each limit of the native encoding, and what travels in one packet.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use futures::future::join;
use futures::{SinkExt, Stream};
use micro_conformance::nats_server::NatsServer;
use micro_core::{DialOptions, ErrorKind, Message, Socket, Transport};
use transport_nats::Encoding;

use support::{accept, dial, listen, transport};

/// Bytes by which pieces that are out of place are noticed.
fn body(bytes: usize) -> Message {
    Message::new((0..bytes).map(|index| (index % 251) as u8).collect::<Vec<_>>())
}

async fn there_and_back(near: &mut Socket, far: &mut Socket, message: &Message) {
    let echo = async {
        let message = far.recv().await.unwrap().unwrap();
        far.send(message).await.unwrap();
    };
    let ask = async {
        near.send(message.clone()).await.unwrap();
        near.recv().await.unwrap().unwrap()
    };
    let (back, ()) = join(ask, echo).await;
    assert!(back == *message, "{} bytes came back changed", message.size());
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_every_size_around_each_limit_arrive() {
    let server = NatsServer::builder().config("max_payload: 256KB").start().await;
    let limit = 3 << 20;
    let limited = async || transport(&server).await.with_max_message_size(limit);
    let (here, there) = (limited().await, limited().await);
    assert_eq!(here.capabilities().max_message_size, Some(limit));
    let mut listener = listen(&there).await;
    let mut near = dial(&here, &listener).await;
    let mut far = accept(&mut listener).await;
    // A full packet, what the server takes, twice that, the first credit, and the limit.
    for middle in [0, 128, 64 << 10, 256 << 10, 512 << 10, 1 << 20] {
        for size in [-1025, -800, -769, -768, -767, -40, -3, -2, -1, 0, 1, 2, 3, 40] {
            let size = usize::try_from(middle + size).unwrap_or_default();
            there_and_back(&mut near, &mut far, &body(size)).await;
        }
    }
    for size in [limit - 1, limit] {
        there_and_back(&mut near, &mut far, &body(size)).await;
    }
    let headers = body(limit - 7).with_header("Name", "abc");
    there_and_back(&mut near, &mut far, &headers).await;
    let error = near.send(body(limit + 1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
    there_and_back(&mut near, &mut far, &body(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_for_the_peer_is_refused_before_it_is_sent() {
    let server = NatsServer::start().await;
    let here = transport(&server).await;
    let there = transport(&server).await.with_max_message_size(10_000);
    let mut listener = listen(&there).await;
    let mut near = dial(&here, &listener).await;
    let mut far = accept(&mut listener).await;
    there_and_back(&mut near, &mut far, &body(10_000)).await;
    let error = near.send(body(10_001)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
    there_and_back(&mut near, &mut far, &body(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_above_their_limits_are_refused_before_they_are_sent() {
    let server = NatsServer::start().await;
    let (here, there) = (transport(&server).await, transport(&server).await);
    let mut listener = listen(&there).await;
    let mut near = dial(&here, &listener).await;
    let mut far = accept(&mut listener).await;
    let many = |count: usize| {
        (0..count).fold(body(1), |message, index| {
            message.with_header(index.to_string(), "")
        })
    };
    let large = |bytes: usize| body(1).with_header("Name", "x".repeat(bytes - "Name".len()));
    for (at, above) in [(many(1024), many(1025)), (large(1 << 20), large((1 << 20) + 1))] {
        let error = near.send(above).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
        assert!(error.to_string().contains("header"), "{error}");
        there_and_back(&mut near, &mut far, &at).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_fed_and_not_flushed_leaves_with_the_drop() {
    let server = NatsServer::start().await;
    let (here, there) = (transport(&server).await, transport(&server).await);
    let mut listener = listen(&there).await;
    for size in [10, 100_000, 20 << 20] {
        let mut near = dial(&here, &listener).await;
        let mut far = accept(&mut listener).await;
        {
            let (mut sender, _receiver) = near.split();
            sender.feed(body(size)).await.unwrap();
            near = dial(&here, &listener).await;
        }
        let message = far.recv().await.unwrap().unwrap();
        assert!(message == body(size), "{size}");
        assert!(far.recv().await.is_none());
        drop((near, accept(&mut listener).await));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_message_that_was_fed_and_not_flushed_leaves_with_the_end() {
    let server = NatsServer::start().await;
    let (here, there) = (transport(&server).await, transport(&server).await);
    let mut listener = listen(&there).await;
    let sizes = [10, 100_000, 20 << 20];
    for (size, closes) in sizes
        .map(|size| (size, false))
        .into_iter()
        .chain(sizes.map(|size| (size, true)))
    {
        let peer = DialOptions::default().with_peer(listener.metadata().clone());
        let near = here.dial(listener.address(), peer).await.unwrap();
        let (mut sender, receiver) = near.split();
        sender.feed(body(size)).await.unwrap();
        let end = tokio::spawn(async move {
            if closes {
                sender.close().await.unwrap();
            }
            drop((sender, receiver));
        });
        let mut far = listener.accept().await.unwrap();
        assert!(far.recv().await.unwrap().unwrap() == body(size), "{size}");
        assert!(far.recv().await.is_none());
        end.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_of_all_encodings_share_a_listener() {
    let server = NatsServer::start().await;
    let there = transport(&server).await;
    let mut listener = listen(&there).await;
    let native = transport(&server).await;
    let envelopes = transport(&server).await.with_encoding(Encoding::GoMicro);
    let mut pairs = Vec::new();
    for _ in 0..10 {
        let mut plain = native
            .dial(listener.address(), DialOptions::default())
            .await
            .unwrap();
        plain.send(Message::new("hello")).await.unwrap();
        pairs.push((plain, accept(&mut listener).await));
        for here in [&native, &envelopes] {
            pairs.push((dial(here, &listener).await, accept(&mut listener).await));
        }
    }
    for round in 1..10 {
        for (near, far) in &mut pairs {
            there_and_back(near, far, &body(round * 1000)).await;
        }
    }
}

/// So a server that lets others run does not cut up what was made together.
#[tokio::test]
async fn a_socket_says_that_more_of_a_packet_is_at_hand() {
    let server = NatsServer::start().await;
    let (here, there) = (transport(&server).await, transport(&server).await);
    let mut listener = listen(&there).await;
    let (mut near, _unread) = dial(&here, &listener).await.split();
    let (_far, mut received) = accept(&mut listener).await.split();
    for _ in 0..2 {
        for body in ["one", "two", "three"] {
            near.feed(Message::new(body)).await.unwrap();
        }
        SinkExt::flush(&mut near).await.unwrap();
        assert_eq!(received.size_hint(), (0, None), "not looked up yet");
        for (body, more) in [("one", 1), ("two", 1), ("three", 0)] {
            assert_eq!(received.recv().await.unwrap().unwrap().body, body);
            assert_eq!(received.size_hint(), (more, None), "{body}");
        }
    }
}
