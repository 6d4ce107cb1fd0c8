//! How sockets end, and what the other side learns.

use futures::future::join;
use micro_core::{Error, ErrorKind, Message, Socket};

use super::TransportWorld;
use super::pair::{last_error, pair, receive, rest};
use crate::value::{number, numbered};

/// After `close`, the peer's `recv` ends without an error.
pub async fn peer_close_ends_recv(world: &TransportWorld) {
    let (mut near, far, _sides) = pair(world).await;
    far.close().await.unwrap();
    let end = near.recv().await;
    assert!(end.is_none(), "{end:?}");

    let (near, mut far, _sides) = pair(world).await;
    near.close().await.unwrap();
    let end = far.recv().await;
    assert!(end.is_none(), "{end:?}");
}

/// A dropped socket ends the peer's `recv` as a closed one does.
pub async fn peer_drop_ends_recv(world: &TransportWorld) {
    let (mut near, far, _sides) = pair(world).await;
    drop(far);
    let end = near.recv().await;
    assert!(end.is_none(), "{end:?}");

    let (near, mut far, _sides) = pair(world).await;
    drop(near);
    let end = far.recv().await;
    assert!(end.is_none(), "{end:?}");
}

/// Everything sent before `close` is received before the end, in both directions.
pub async fn what_was_sent_before_close_is_delivered(world: &TransportWorld) {
    for turn in [false, true] {
        let (near, far, _sides) = pair(world).await;
        let (mut writer, reader) = if turn { (far, near) } else { (near, far) };
        let send = async {
            send_all(&mut writer, 300).await;
            writer.close().await.unwrap();
        };
        let (_keep, receiver) = reader.split();
        let (_, received) = join(send, rest(receiver)).await;
        assert!(received.iter().map(number).eq(0..300), "{}", received.len());
    }
}

/// Everything sent before a drop is received before the end, in both directions.
pub async fn what_was_sent_before_drop_is_delivered(world: &TransportWorld) {
    for turn in [false, true] {
        let (near, far, _sides) = pair(world).await;
        let (mut writer, reader) = if turn { (far, near) } else { (near, far) };
        let send = async {
            send_all(&mut writer, 300).await;
            drop(writer);
        };
        let (_keep, receiver) = reader.split();
        let (_, received) = join(send, rest(receiver)).await;
        assert!(received.iter().map(number).eq(0..300), "{}", received.len());
    }
}

/// What the one who leaves has not read costs the other nothing of what was sent to it.
pub async fn what_was_sent_is_delivered_by_a_peer_that_did_not_read(world: &TransportWorld) {
    let (mut near, mut far, _sides) = pair(world).await;
    send_all(&mut near, 5).await;
    assert_eq!(number(&receive(&mut far).await), 0);
    send_all(&mut far, 50).await;
    drop(far);
    for expected in 0..50 {
        assert_eq!(number(&receive(&mut near).await), expected);
    }
    if let Some(error) = last_error(&mut near).await {
        assert_ended(&error);
    }
}

/// After `finish`, the peer's `recv` ends, and its answers still arrive.
pub async fn a_half_closed_socket_still_receives(world: &TransportWorld) {
    let (near, mut far, _sides) = pair(world).await;
    let (mut sender, mut receiver) = near.split();
    sender.send(numbered(0)).await.unwrap();
    sender.finish().await.unwrap();
    assert_eq!(number(&receive(&mut far).await), 0);
    assert!(far.recv().await.is_none());
    for index in 0..10 {
        far.send(numbered(index)).await.unwrap();
        let answer = receiver.recv().await.unwrap().unwrap();
        assert_eq!(number(&answer), index);
    }
    far.close().await.unwrap();
    assert!(receiver.recv().await.is_none());
}

/// Dropping the sending half does what `finish` does.
pub async fn dropping_the_sender_closes_half(world: &TransportWorld) {
    let (near, mut far, _sides) = pair(world).await;
    let (mut sender, mut receiver) = near.split();
    sender.send(numbered(0)).await.unwrap();
    drop(sender);
    assert_eq!(number(&receive(&mut far).await), 0);
    assert!(far.recv().await.is_none());
    far.send(numbered(1)).await.unwrap();
    assert_eq!(number(&receiver.recv().await.unwrap().unwrap()), 1);
}

/// A half that has finished sends nothing more, and says so.
pub async fn sending_after_finish_is_closed(world: &TransportWorld) {
    let (near, mut far, _sides) = pair(world).await;
    let (mut sender, _receiver) = near.split();
    sender.finish().await.unwrap();
    for _ in 0..2 {
        let error = sender.send(Message::new("late")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
    }
    assert!(far.recv().await.is_none());
}

/// To finish what is finished is not an error.
pub async fn finish_may_be_awaited_again(world: &TransportWorld) {
    let (near, mut far, _sides) = pair(world).await;
    let (mut sender, _receiver) = near.split();
    for _ in 0..3 {
        sender.finish().await.unwrap();
    }
    assert!(far.recv().await.is_none());
}

/// Whoever knows that its peer is gone cannot go on sending to it.
pub async fn sending_to_a_closed_peer_fails(world: &TransportWorld) {
    let (mut near, far, _sides) = pair(world).await;
    far.close().await.unwrap();
    assert!(near.recv().await.is_none());
    assert_ended(&send_until_error(&mut near).await);
}

/// What is said to be undelivered was not read: counting the last messages sent, as a retry elsewhere does.
pub async fn undelivered_is_never_overstated(world: &TransportWorld) {
    for read in 0..=5 {
        let (mut near, mut far, _sides) = pair(world).await;
        send_all(&mut near, 5).await;
        for index in 0..read {
            assert_eq!(number(&receive(&mut far).await), index);
        }
        drop(far);
        if let Some(error) = last_error(&mut near).await {
            assert_ended(&error);
            assert!(error.undelivered() <= 5 - read, "{read} read: {error:?}");
        }
    }
}

async fn send_all(socket: &mut Socket, count: usize) {
    for index in 0..count {
        socket.send(numbered(index)).await.unwrap();
    }
}

async fn send_until_error(socket: &mut Socket) -> Error {
    loop {
        if let Err(error) = socket.send(Message::new("to nobody")).await {
            return error;
        }
        tokio::task::yield_now().await;
    }
}

fn assert_ended(error: &Error) {
    let kinds = [ErrorKind::Unavailable, ErrorKind::Closed];
    assert!(kinds.contains(&error.kind()), "{error:?}");
}
