//! Many sockets, slow readers, and futures that are dropped half-way.

use std::time::Duration;

use futures::future::{join, join_all};
use micro_core::Socket;
use micro_core::transport::SocketSender;
use tokio::time::timeout;

use super::TransportWorld;
use super::pair::{pair, receive, sides};
use crate::clause::skip;
use crate::value::{attempt, number, numbered, sized};

/// How long a send takes that waits for its reader.
const STALLED: Duration = Duration::from_secs(1);

/// Sockets of one listener carry what was sent on them, and nothing of each other.
pub async fn sockets_of_one_listener_are_apart(world: &TransportWorld) {
    let mut sides = sides(world).await;
    let mut pairs = Vec::new();
    for _ in 0..20 {
        pairs.push(sides.connect().await);
    }
    for round in 0..10 {
        for (index, (near, far)) in pairs.iter_mut().enumerate() {
            near.send(numbered(round * 100 + index)).await.unwrap();
            far.send(numbered(index * 100 + round)).await.unwrap();
        }
    }
    for (index, (near, far)) in pairs.iter_mut().enumerate() {
        for round in 0..10 {
            assert_eq!(number(&receive(far).await), round * 100 + index);
            assert_eq!(number(&receive(near).await), index * 100 + round);
        }
    }
}

/// A thousand sockets are open at once, and each gets its own answers.
pub async fn a_thousand_sockets_talk_at_once(world: &TransportWorld) {
    let sides = sides(world).await;
    let mut sockets = join_all((0..1000).map(|_| sides.dial())).await;
    let mut listener = sides.listener;
    let server = tokio::spawn(async move {
        loop {
            tokio::spawn(echo(listener.accept().await.unwrap()));
        }
    });
    join_all(sockets.iter_mut().enumerate().map(async |(index, socket)| {
        assert_eq!(receive(socket).await.body, "hello");
        for round in 0..3 {
            let message = numbered(index * 10 + round);
            socket.send(message.clone()).await.unwrap();
            assert_eq!(receive(socket).await, message);
        }
    }))
    .await;
    server.abort();
}

/// Ten thousand sockets are open at once, and any of them still talks.
pub async fn ten_thousand_sockets_are_open_at_once(world: &TransportWorld) {
    let mut sides = sides(world).await;
    let mut pairs = Vec::with_capacity(10_000);
    while pairs.len() < pairs.capacity() {
        // Who is dialled first is not always accepted first: a pair is no more than one of each.
        let dialled = join_all((0..100).map(|_| sides.dial())).await;
        let mut accepted = Vec::new();
        for _ in 0..dialled.len() {
            accepted.push(sides.accept().await);
        }
        pairs.extend(dialled.into_iter().zip(accepted));
    }
    for (index, (_, far)) in pairs.iter_mut().enumerate() {
        far.send(numbered(index)).await.unwrap();
    }
    let mut heard = Vec::new();
    for (near, _) in &mut pairs {
        heard.push(number(&receive(near).await));
    }
    heard.sort_unstable();
    assert!(heard.into_iter().eq(0..10_000), "not each of them was answered");
}

async fn echo(mut socket: Socket) {
    while let Some(Ok(message)) = socket.recv().await {
        socket.send(message).await.unwrap();
    }
}

/// A dropped `recv` future takes no message with it.
pub async fn a_cancelled_recv_loses_nothing(world: &TransportWorld) {
    let (near, mut far, _sides) = pair(world).await;
    let (mut sender, _receiver) = near.split();
    let sending = tokio::spawn(async move {
        for index in 0..300 {
            sender.send(numbered(index)).await.unwrap();
        }
        sender
    });
    for expected in 0..300 {
        let message = loop {
            if let Some(message) = attempt(far.recv()).await {
                break message.unwrap().unwrap();
            }
        };
        assert_eq!(number(&message), expected);
    }
    sending.await.unwrap();
}

/// A dropped `send` future has sent its message whole, in its place, or not at all; a completed one has sent it.
pub async fn a_cancelled_send_is_whole_or_nothing(world: &TransportWorld) {
    let (near, mut far, _sides) = pair(world).await;
    let (mut sender, _receiver) = near.split();
    let sending = tokio::spawn(async move {
        let mut sent = Vec::new();
        for index in 0..500 {
            if let Some(outcome) = attempt(sender.send(numbered(index))).await {
                outcome.unwrap();
                sent.push(index);
            }
        }
        sender.finish().await.unwrap();
        sent
    });
    let mut received = Vec::new();
    while let Some(message) = far.recv().await {
        received.push(number(&message.unwrap()));
        tokio::task::yield_now().await;
    }
    let sent = sending.await.unwrap();
    assert!(received.is_sorted_by(|a, b| a < b), "{received:?}");
    assert!(sent.iter().all(|index| received.binary_search(index).is_ok()));
}

/// A reader that does not read stops its writer after a bounded number of messages, and loses none of them.
pub async fn a_slow_reader_slows_its_writer(world: &TransportWorld) {
    let (near, mut far, sides) = pair(world).await;
    if !sides.here.capabilities().flow_control {
        return skip("no flow control");
    }
    let (mut sender, _receiver) = near.split();
    let sent = send_until_stalled(&mut sender, 100_000).await;
    assert!(sent < 100_000, "{sent} messages went unread, and nothing waited");
    let finish = async {
        sender.send(sized(1)).await.unwrap();
        sender.finish().await.unwrap();
    };
    let count = async {
        let mut received = 0;
        while let Some(message) = far.recv().await {
            message.unwrap();
            received += 1;
        }
        received
    };
    let (_, received) = join(finish, count).await;
    // The send that was given up may have been made.
    let expected = [sent + 1, sent + 2];
    assert!(expected.contains(&received), "{sent} sent, {received} received");
}

/// What waits for a reader that does not read is bounded in bytes, too.
pub async fn what_waits_for_a_slow_reader_is_bounded(world: &TransportWorld) {
    let (near, _unread, sides) = pair(world).await;
    if !sides.here.capabilities().flow_control {
        return skip("no flow control");
    }
    let (mut sender, _receiver) = near.split();
    let message = sized(64 << 10);
    let mut sent = 0;
    while let Ok(outcome) = timeout(STALLED, sender.send(message.clone())).await {
        outcome.unwrap();
        sent += message.size();
        assert!(sent <= 32 << 20, "{sent} bytes went unread, and nothing waited");
    }
}

/// Sends messages of 1 KiB that nobody reads, up to `most`, and returns how many were sent until one waited.
async fn send_until_stalled(sender: &mut SocketSender, most: usize) -> usize {
    for sent in 0..most {
        match timeout(STALLED, sender.send(sized(1024))).await {
            Ok(outcome) => outcome.unwrap(),
            Err(_) => return sent,
        }
    }
    most
}

/// While one socket is flooded and nobody reads it, the others of the same two instances go on.
pub async fn a_slow_reader_does_not_stall_its_neighbour(world: &TransportWorld) {
    let mut sides = sides(world).await;
    let (flooded, _unread) = sides.connect().await;
    let (mut near, mut far) = sides.connect().await;
    let (mut sender, _receiver) = flooded.split();
    let flood = tokio::spawn(async move {
        while sender.send(sized(1024)).await.is_ok() {
            tokio::task::yield_now().await;
        }
    });
    for index in 0..1000 {
        near.send(numbered(index)).await.unwrap();
        assert_eq!(number(&receive(&mut far).await), index);
        far.send(numbered(index)).await.unwrap();
        assert_eq!(number(&receive(&mut near).await), index);
    }
    flood.abort();
}

/// Without flow control, a reader that falls behind may lose messages or its socket, and is told so.
pub async fn a_reader_that_falls_behind_is_told(world: &TransportWorld) {
    let (near, mut far, sides) = pair(world).await;
    if sides.here.capabilities().flow_control {
        return skip("flow control lets no reader fall behind");
    }
    let (mut sender, _receiver) = near.split();
    let mut sent = 0;
    while sent < 200_000 && sender.send(numbered(sent)).await.is_ok() {
        sent += 1;
    }
    drop(sender);
    let (mut received, mut next, mut told) = (0, 0, false);
    while let Some(outcome) = far.recv().await {
        match outcome {
            Ok(message) => {
                let number = number(&message);
                assert!(number == next || (told && number > next), "{number}, not {next}");
                (received, next) = (received + 1, number + 1);
            }
            Err(_) => told = true,
        }
    }
    assert!(
        told || received == sent,
        "{received} of {sent} came, and nothing was said"
    );
}
