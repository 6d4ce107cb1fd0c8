//! Peers that break the rules of the native encoding: each costs its own socket, is counted, and harms nobody else.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "support/raw.rs"]
mod raw;
mod support;

use futures::StreamExt;
use micro_conformance::nats_server::NatsServer;
use micro_core::{DialOptions, Error, ErrorKind, ListenOptions, Listener, Message, Socket, Transport};
use nats_common::{Connection, Feed, Outgoing, Subject};
use std::sync::Arc;
use transport_nats::{Ignored, NatsTransport};

use raw::{FIRST, MESSAGE, MORE, RESET, Raw, frame, hello, message, packet, varint};
use support::{accept, connection, dial, listen, transport};

/// A listener, a socket to it that keeps the rules, and a peer that does not.
struct Stage {
    _server: NatsServer,
    there: NatsTransport,
    raw: Arc<Connection>,
    listener: Listener,
    good: (Socket, Socket),
}

impl Stage {
    async fn new() -> Self {
        Stage::with(|transport| transport).await
    }

    /// The listener's transport is told to behave so.
    async fn with(limits: impl FnOnce(NatsTransport) -> NatsTransport) -> Self {
        let server = NatsServer::start().await;
        let (here, there) = (transport(&server).await, limits(transport(&server).await));
        let mut listener = listen(&there).await;
        let near = dial(&here, &listener).await;
        let far = accept(&mut listener).await;
        Stage {
            raw: connection(&server).await,
            _server: server,
            there,
            listener,
            good: (near, far),
        }
    }

    /// What becomes of a socket on which this is said: the error of its reader, and the reason that its peer is told.
    async fn breach(&mut self, packets: impl IntoIterator<Item = Vec<u8>>) -> (ErrorKind, u8) {
        let mut raw = Raw::new(&self.raw, &self.listener);
        raw.open().await;
        let mut far = accept(&mut self.listener).await;
        for packet in packets {
            raw.say(packet).await;
        }
        // What is inside a message is looked at when it is read.
        let (reason, error) = tokio::join!(raw.reset(), error(&mut far));
        assert!(far.send(Message::new("late")).await.is_err());
        self.harms_nobody().await;
        (error.kind(), reason)
    }

    /// A question to a listener that answers by hand.
    async fn asked(&self) -> Asked {
        let here = transport(&self._server).await;
        let mut feed = self.raw.subscribe("by-hand", None, 100).await.unwrap();
        let peer = DialOptions::default().with_peer(self.listener.metadata().clone());
        let mut near = here.dial(&"by-hand".parse().unwrap(), peer).await.unwrap();
        near.send(Message::new("question")).await.unwrap();
        let reply = feed.next().await.unwrap().unwrap().reply.unwrap();
        Asked {
            raw: self.raw.clone(),
            here,
            near,
            feed,
            reply,
        }
    }

    async fn harms_nobody(&mut self) {
        let (near, far) = &mut self.good;
        near.send(Message::new("there")).await.unwrap();
        assert_eq!(far.recv().await.unwrap().unwrap().body, "there");
        far.send(Message::new("back")).await.unwrap();
        assert_eq!(near.recv().await.unwrap().unwrap().body, "back");
    }

    fn ignored(&self) -> Ignored {
        self.there.ignored()
    }
}

/// What a socket ends with.
async fn error(socket: &mut Socket) -> Error {
    loop {
        match socket.recv().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => return error,
            None => panic!("it ended well"),
        }
    }
}

/// A socket whose listener is played by hand.
struct Asked {
    raw: Arc<Connection>,
    here: NatsTransport,
    near: Socket,
    /// What the socket says.
    feed: Feed,
    reply: Subject,
}

impl Asked {
    async fn answer(&self, payload: Vec<u8>) {
        let answer = Outgoing::new(self.reply.clone(), payload);
        self.raw.publish(answer).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_packet_is_an_error_and_no_hang() {
    let mut stage = Stage::new().await;
    let breach = stage.breach([packet(2, &message("two"))]).await;
    assert_eq!(breach, (ErrorKind::Unavailable, 3));
    assert_eq!(stage.ignored().out_of_order, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packet_that_comes_twice_ends_its_socket() {
    let mut stage = Stage::new().await;
    let one = packet(1, &message("one"));
    let breach = stage.breach([one.clone(), one]).await;
    assert_eq!(breach, (ErrorKind::Unavailable, 3));
    assert_eq!(stage.ignored().out_of_order, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_answer_is_an_error_and_no_hang() {
    let stage = Stage::new().await;
    let mut asked = stage.asked().await;
    let first = packet(0, &[hello(), message("first")].concat());
    for payload in [first, packet(2, &message("third"))] {
        asked.answer(payload).await;
    }
    assert_eq!(asked.near.recv().await.unwrap().unwrap().body, "first");
    let error = asked.near.recv().await.unwrap().unwrap_err();
    assert_eq!(
        (error.kind(), error.undelivered()),
        (ErrorKind::Unavailable, 0),
        "{error:?}"
    );
    assert!(asked.near.recv().await.is_none());
    assert_eq!(asked.here.ignored().out_of_order, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_the_format_ends_its_socket() {
    let mut stage = Stage::new().await;
    let pieces = |frames: &[Vec<u8>]| packet(1, &frames.concat());
    let first = |total: usize, piece: &[u8]| frame(FIRST, &[&varint(total)[..], piece].concat());
    let bad = [
        packet(1, &[0x3f, 0]),
        packet(1, &[MESSAGE, 100, 0]),
        packet(1, &[MESSAGE]),
        packet(1, &frame(0x06, b"more than nothing")),
        packet(1, &frame(MORE, b"of nothing")),
        pieces(&[first(10, b"12345"), first(10, b"12345")]),
        pieces(&[first(10, b"12345"), message("between")]),
        pieces(&[first(10, b"12345"), frame(MORE, b"678901")]),
        pieces(&[first(4, b"12345")]),
        // Headers that do not end, or are none.
        packet(1, &frame(MESSAGE, &[1])),
        packet(1, &frame(MESSAGE, &[1, 0x3f])),
        packet(1, &frame(MESSAGE, &[1, 0, 1, 0xff, 0])),
        packet(
            1,
            &frame(
                MESSAGE,
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
            ),
        ),
        vec![0x82],
        vec![0x82, 0x80],
    ];
    let count = bad.len() as u64;
    for packet in bad {
        let text = format!("{packet:x?}");
        assert_eq!(stage.breach([packet]).await, (ErrorKind::Malformed, 2), "{text}");
    }
    assert_eq!(stage.ignored().malformed, count);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_above_the_limit_ends_its_socket_before_anything_is_kept() {
    let mut stage = Stage::new().await;
    for total in [(65 << 20) + (16 << 10) + 1, u32::MAX as usize, usize::MAX] {
        let first = frame(FIRST, &[&varint(total)[..], b"little"].concat());
        let breach = stage.breach([packet(1, &first)]).await;
        assert_eq!(breach, (ErrorKind::ResourceExhausted, 5));
    }
    assert_eq!(stage.ignored().excessive, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_above_the_limit_ends_its_socket_also_in_one_frame() {
    let mut stage = Stage::with(|transport| transport.with_max_message_size(1000)).await;
    let (limit, head) = (1000 + (16 << 10), 1);
    let fits = message(&"x".repeat(limit - head));
    let excessive = message(&"x".repeat(limit - head + 1));
    let breach = stage.breach([packet(1, &fits), packet(2, &excessive)]).await;
    assert_eq!(breach, (ErrorKind::ResourceExhausted, 5));
    assert_eq!(stage.ignored().excessive, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_more_than_it_may_is_cut_off() {
    let mut stage = Stage::new().await;
    let mut raw = Raw::new(&stage.raw, &stage.listener);
    raw.open().await;
    let mut far = accept(&mut stage.listener).await;
    // Nobody reads, so nothing beyond the first credit may come.
    for number in 1..20 {
        raw.say(packet(number, &message(&"x".repeat(500 << 10)))).await;
    }
    assert_eq!(raw.reset().await, 4);
    assert_eq!(error(&mut far).await.kind(), ErrorKind::ResourceExhausted);
    assert_eq!(stage.ignored().excessive, 1);
    stage.harms_nobody().await;
}

/// What a listener does to whoever calls it.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_answers_more_than_it_may_is_cut_off() {
    let mut stage = Stage::new().await;
    let mut asked = stage.asked().await;
    let much = message(&"x".repeat(500 << 10));
    for number in 0..20 {
        let hello = if number == 0 { hello() } else { Vec::new() };
        let payload = packet(number, &[hello, much.clone()].concat());
        asked.answer(payload).await;
    }
    // Nothing is read before all of it has been sent.
    stage.raw.fence().await.unwrap();
    let told = async {
        loop {
            let said = asked.feed.next().await.unwrap().unwrap().payload;
            // A packet with nothing but a reset, which is short.
            if let [_, _, RESET, _, reason, ..] = said[..] {
                return reason;
            }
        }
    };
    assert_eq!(told.await, 4);
    assert_eq!(error(&mut asked.near).await.kind(), ErrorKind::ResourceExhausted);
    assert_eq!(asked.here.ignored().excessive, 1);
    stage.harms_nobody().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_for_no_socket_is_answered_and_counted() {
    let mut stage = Stage::new().await;
    let mut raw = Raw::new(&stage.raw, &stage.listener);
    raw.say(packet(5, &message("for whom?"))).await;
    assert_eq!(raw.reset().await, 0);
    raw.open().await;
    drop(accept(&mut stage.listener).await);
    raw.say(packet(1, &message("too late"))).await;
    assert_eq!(raw.reset().await, 0);
    assert_eq!(stage.ignored().stale, 2);
    stage.harms_nobody().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_is_refused_clearly() {
    let mut stage = Stage::new().await;
    let mut raw = Raw::new(&stage.raw, &stage.listener);
    raw.say(vec![0x83, 0, 1, 2, 3]).await;
    assert_eq!(raw.reset().await, 6);
    let breach = stage.breach([vec![0x83, 1, 2, 3]]).await;
    assert_eq!(breach, (ErrorKind::Unsupported, 6));
    assert_eq!(stage.ignored().newer, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_sockets_is_refused_and_each_is_told() {
    let server = NatsServer::start().await;
    let (here, raw) = (transport(&server).await, connection(&server).await);
    let there = transport(&server).await.with_max_sockets(5);
    let mut listener = listen(&there).await;
    let mut near = dial(&here, &listener).await;
    let mut far = accept(&mut listener).await;
    let mut flood: Vec<_> = (0..200).map(|_| Raw::new(&raw, &listener)).collect();
    for raw in &flood {
        raw.open().await;
    }
    for raw in &mut flood[4..] {
        assert_eq!(raw.reset().await, 1);
    }
    assert_eq!(there.ignored().refused, 196);
    near.send(Message::new("still here")).await.unwrap();
    assert_eq!(far.recv().await.unwrap().unwrap().body, "still here");
    // Whoever is refused knows that nothing was read.
    let mut refused = dial(&here, &listener).await;
    let error = refused.recv().await.unwrap().unwrap_err();
    assert_eq!(
        (error.kind(), error.undelivered()),
        (ErrorKind::Unavailable, 1),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_beyond_the_backlog_is_undelivered_and_counted() {
    let server = NatsServer::start().await;
    let (here, there) = (transport(&server).await, transport(&server).await);
    let options = ListenOptions::default().with_backlog(1);
    let mut listener = there.listen(options).await.unwrap();
    let waiting = dial(&here, &listener).await;
    for count in 1..4 {
        let mut refused = dial(&here, &listener).await;
        let error = refused.recv().await.unwrap().unwrap_err();
        assert_eq!(
            (error.kind(), error.undelivered()),
            (ErrorKind::Unavailable, 1),
            "{error:?}"
        );
        assert_eq!(there.ignored().refused, count);
    }
    drop((waiting, accept(&mut listener).await));
    let _next = dial(&here, &listener).await;
    accept(&mut listener).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn random_bytes_harm_nobody() {
    let mut stage = Stage::new().await;
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for _ in 0..2_000 {
        let raw = Raw::new(&stage.raw, &stage.listener);
        let mut bytes = packet(0, &[hello(), message("hello"), message("again")].concat());
        match next() % 3 {
            0 => bytes.truncate(next() as usize % bytes.len()),
            1 => (0..=next() % 4).for_each(|_| {
                let index = next() as usize % bytes.len();
                bytes[index] = next() as u8;
            }),
            _ => bytes[1..].fill_with(|| next() as u8),
        }
        raw.say(bytes).await;
    }
    stage.harms_nobody().await;
}

/// The server ends the connection of whoever publishes to such a subject, and all sockets would end with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_home_that_no_server_takes_harms_nobody() {
    let mut stage = Stage::new().await;
    let mut raw = Raw::new(&stage.raw, &stage.listener);
    let content = [&[0x90, 0x4e, 0x90, 0x4e, 0][..], "x".repeat(5000).as_bytes()].concat();
    // What is owed to whoever leaves goes to its home at once.
    let frames = [frame(0x01, &content), message("hello"), frame(0x09, b"")].concat();
    raw.say(packet(0, &frames)).await;
    assert_eq!(raw.reset().await, 2);
    assert_eq!(stage.ignored().malformed, 1);
    stage.harms_nobody().await;
}
