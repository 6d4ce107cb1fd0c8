//! What is sent arrives, as it was.

use futures::future::join;
use futures::{SinkExt, StreamExt};
use micro_core::{DialOptions, ErrorKind, Message};

use super::TransportWorld;
use super::pair::{expect_message, pair, receive, rest, sides};
use crate::clause::skip;
use crate::value::{delicate, number, numbered, sized};

/// A thousand messages are received in the order in which they were sent.
pub async fn messages_arrive_in_order(world: &TransportWorld) {
    let (mut near, mut far, _sides) = pair(world).await;
    let send = async {
        for index in 0..1000 {
            near.send(numbered(index)).await.unwrap();
        }
    };
    let receive = async {
        for index in 0..1000 {
            assert_eq!(number(&receive(&mut far).await), index);
        }
    };
    join(send, receive).await;
}

/// Headers and bodies arrive as they were: empty ones, large ones, every byte, and any text.
pub async fn headers_and_body_arrive_unchanged(world: &TransportWorld) {
    let (mut near, mut far, _sides) = pair(world).await;
    for (name, message) in delicate() {
        let (sent, received) = join(near.send(message.clone()), receive(&mut far)).await;
        sent.unwrap();
        assert_eq!(received, message, "there: {name}");
        let (sent, received) = join(far.send(message.clone()), receive(&mut near)).await;
        sent.unwrap();
        assert_eq!(received, message, "back: {name}");
    }
}

/// A message of exactly the largest size arrives; of 4 MiB where there is no limit.
pub async fn a_message_at_the_limit_arrives(world: &TransportWorld) {
    let limit = world.open().await.capabilities().max_message_size;
    let (mut near, mut far, _sides) = pair(world).await;
    let message = sized(limit.unwrap_or(4 << 20));
    let (sent, received) = join(near.send(message.clone()), receive(&mut far)).await;
    sent.unwrap();
    assert!(received == message, "{} bytes came", received.size());
}

/// A message above the limit is refused before anything is sent, and the socket goes on.
pub async fn a_message_above_the_limit_is_resource_exhausted(world: &TransportWorld) {
    let Some(limit) = world.open().await.capabilities().max_message_size else {
        return skip("messages have no limit");
    };
    let (mut near, mut far, _sides) = pair(world).await;
    for size in [limit + 1, 2 * limit] {
        let error = near.send(sized(size)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResourceExhausted, "{size} bytes");
        let headers = Message::default().with_header("Large", "x".repeat(size));
        let error = near.send(headers).await.unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::ResourceExhausted,
            "{size} bytes of header"
        );
    }
    near.send(Message::new("small")).await.unwrap();
    assert_eq!(receive(&mut far).await.body, "small");
}

/// A writer may feed many messages and flush once.
pub async fn messages_fed_and_flushed_once_arrive(world: &TransportWorld) {
    let (near, far, _sides) = pair(world).await;
    let ((mut sender, _near), (_far, receiver)) = (near.split(), far.split());
    let send = async {
        for index in 0..500 {
            sender.feed(numbered(index)).await.unwrap();
        }
        sender.flush().await.unwrap();
    };
    let (_, received) = join(send, receiver.take(500).collect::<Vec<_>>()).await;
    let numbers = received.into_iter().map(|message| number(&message.unwrap()));
    assert!(numbers.eq(0..500));
}

/// Both directions carry messages at the same time.
pub async fn both_ends_send_at_once(world: &TransportWorld) {
    let (near, far, _sides) = pair(world).await;
    let talk = async |socket: micro_core::Socket| {
        let (mut sender, receiver) = socket.split();
        let send = async {
            for index in 0..1000 {
                sender.send(numbered(index)).await.unwrap();
            }
            sender.finish().await.unwrap();
        };
        let (_, received) = join(send, rest(receiver)).await;
        assert!(received.iter().map(number).eq(0..1000));
    };
    join(talk(near), talk(far)).await;
}

/// The halves of a socket live in tasks of their own.
pub async fn halves_work_apart(world: &TransportWorld) {
    let (near, mut far, _sides) = pair(world).await;
    let (mut sender, mut receiver) = near.split();
    let sending = tokio::spawn(async move {
        sender.send(Message::new("question")).await.unwrap();
        sender
    });
    let receiving = tokio::spawn(async move { expect_message(receiver.recv().await) });
    assert_eq!(receive(&mut far).await.body, "question");
    far.send(Message::new("answer")).await.unwrap();
    assert_eq!(receiving.await.unwrap().body, "answer");
    sending.await.unwrap();
}

/// Whoever dials with nothing but the address is understood, and answered.
pub async fn a_peer_of_which_nothing_is_known_is_understood(world: &TransportWorld) {
    let mut sides = sides(world).await;
    let mut near = sides
        .here
        .dial(sides.listener.address(), DialOptions::default())
        .await
        .unwrap();
    let message = Message::new("x").with_header("Name", "value");
    near.send(message.clone()).await.unwrap();
    let mut far = sides.listener.accept().await.unwrap();
    assert_eq!(receive(&mut far).await, message);
    far.send(message.clone()).await.unwrap();
    assert_eq!(receive(&mut near).await, message);
}
