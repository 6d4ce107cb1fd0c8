//! Small and large messages beside each other.

use futures::future::join;
use micro_core::{Message, Socket};

use super::TransportWorld;
use super::pair::{pair, receive, sides};
use crate::value::{number, numbered, sized};

/// Where something changes in one backend or another: what is packed together, what a server takes in one piece, how far
/// a writer may go.
const EDGES: [usize; 7] = [0, 128, 16 << 10, 64 << 10, 256 << 10, 512 << 10, 1 << 20];

/// Messages of sizes around each such edge, and around the limit, arrive unchanged, there and back.
pub async fn messages_of_every_size_around_each_limit_arrive(world: &TransportWorld) {
    let limit = world.open().await.capabilities().max_message_size;
    let limit = limit.unwrap_or(usize::MAX);
    let (mut near, mut far, _sides) = pair(world).await;
    for edge in EDGES.into_iter().chain([limit]).filter(|edge| *edge <= 2 << 20) {
        for step in [-1025, -769, -768, -40, -3, -2, -1, 0, 1, 2, 40] {
            let size = edge.saturating_add_signed(step);
            if size <= limit {
                there_and_back(&mut near, &mut far, sized(size)).await;
            }
        }
    }
    let named = Message::new(vec![7; 1000]).with_header("Name", "abc");
    there_and_back(&mut near, &mut far, named).await;
}

async fn there_and_back(near: &mut Socket, far: &mut Socket, message: Message) {
    let echo = async {
        let message = receive(far).await;
        far.send(message).await.unwrap();
    };
    let ask = async {
        near.send(message.clone()).await.unwrap();
        receive(near).await
    };
    let (back, ()) = join(ask, echo).await;
    assert!(back == message, "{} bytes came back changed", message.size());
}

/// While large messages go over one socket, read or unread, small ones go over another.
pub async fn a_large_message_holds_up_only_its_own_socket(world: &TransportWorld) {
    let mut sides = sides(world).await;
    let limit = sides.here.capabilities().max_message_size;
    let large = sized(limit.unwrap_or(usize::MAX).min(8 << 20));
    let (busy, unread) = (sides.connect().await, sides.connect().await);
    let (mut near, mut far) = sides.connect().await;
    let floods = [busy.0, unread.0].map(|flooded| tokio::spawn(flood(flooded, large.clone())));
    let mut reader = busy.1;
    let reading = tokio::spawn(async move {
        for _ in 0..4 {
            assert!(receive(&mut reader).await == large, "it came changed");
        }
        reader
    });
    for index in 0..200 {
        near.send(numbered(index)).await.unwrap();
        assert_eq!(number(&receive(&mut far).await), index);
        far.send(numbered(index)).await.unwrap();
        assert_eq!(number(&receive(&mut near).await), index);
    }
    let _reader = reading.await.unwrap();
    for flood in floods {
        flood.abort();
    }
}

/// Sends a few of them, until nobody takes any.
async fn flood(socket: Socket, large: Message) {
    let (mut sender, _receiver) = socket.split();
    for _ in 0..8 {
        if sender.send(large.clone()).await.is_err() {
            return;
        }
    }
    std::future::pending().await
}
