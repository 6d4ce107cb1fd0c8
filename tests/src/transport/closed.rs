//! What an end that sends nothing learns of its peer.

use micro_core::transport::{SocketReceiver, SocketSender};
use micro_core::{ErrorKind, Socket};

use super::TransportWorld;
use super::pair::{Sides, pair, receive};
use crate::clause::skip;
use crate::value::{attempt, number, numbered};

/// Whoever neither sends nor receives learns that its peer has closed, at either end.
pub async fn closed_tells_that_the_peer_closed(world: &TransportWorld) {
    for turn in [false, true] {
        let Some((mut sender, _receiver, peer, _sides)) = watched(world, turn).await else {
            return;
        };
        let closed = sender.closed();
        peer.close().await.unwrap();
        closed.await;
        sender.closed().await;
        assert_ended(&mut sender).await;
    }
}

/// A peer that reads no more is told from one that sends no more, though it still sends.
pub async fn closed_tells_that_nobody_reads(world: &TransportWorld) {
    for turn in [false, true] {
        let Some((mut sender, mut receiver, peer, _sides)) = watched(world, turn).await else {
            return;
        };
        let (mut peers_sender, peers_receiver) = peer.split();
        drop(peers_receiver);
        sender.closed().await;
        peers_sender.send(numbered(7)).await.unwrap();
        let message = receiver.recv().await.unwrap().unwrap();
        assert_eq!(number(&message), 7);
        assert_ended(&mut sender).await;
    }
}

/// A peer that has finished sending still reads, and nothing else is said of it.
pub async fn closed_waits_while_the_peer_reads(world: &TransportWorld) {
    for turn in [false, true] {
        let Some((mut sender, mut receiver, peer, _sides)) = watched(world, turn).await else {
            return;
        };
        let mut closed = Box::pin(sender.closed());
        let (mut peers_sender, mut peers_receiver) = peer.split();
        peers_sender.finish().await.unwrap();
        assert!(receiver.recv().await.is_none());
        for index in 0..10 {
            sender.send(numbered(index)).await.unwrap();
            let message = peers_receiver.recv().await.unwrap().unwrap();
            assert_eq!(number(&message), index);
            assert!(attempt(&mut closed).await.is_none());
        }
        drop(peers_receiver);
        closed.await;
    }
}

/// A half that has finished, or is dropped, waits for nobody.
pub async fn closed_ends_with_its_own_half(world: &TransportWorld) {
    for turn in [false, true] {
        let Some((mut sender, _receiver, _peer, _sides)) = watched(world, turn).await else {
            return;
        };
        let closed = sender.closed();
        sender.finish().await.unwrap();
        closed.await;
        sender.closed().await;

        let (near, _far, _sides) = pair(world).await;
        let (sender, _receiver) = near.split();
        let closed = sender.closed();
        drop(sender);
        closed.await;
    }
}

/// A wait that was given up leaves nothing behind, and several may wait at once.
pub async fn a_cancelled_closed_may_be_asked_again(world: &TransportWorld) {
    let Some((mut sender, _receiver, mut peer, _sides)) = watched(world, false).await else {
        return;
    };
    for index in 0..100 {
        assert!(attempt(sender.closed()).await.is_none());
        sender.send(numbered(index)).await.unwrap();
        assert_eq!(number(&receive(&mut peer).await), index);
    }
    let waiting = [sender.closed(), sender.closed()].map(tokio::spawn);
    drop(peer);
    for waiting in waiting {
        waiting.await.unwrap();
    }
}

/// One end's halves, its peer, and what they stand on; turned around, the accepted end's. Nothing where the backend
/// does not tell.
async fn watched(
    world: &TransportWorld,
    turn: bool,
) -> Option<(SocketSender, SocketReceiver, Socket, Sides)> {
    let (near, far, sides) = pair(world).await;
    if !sides.here.capabilities().close_notice {
        skip("no close notice");
        return None;
    }
    let (one, other) = if turn { (far, near) } else { (near, far) };
    let (sender, receiver) = one.split();
    Some((sender, receiver, other, sides))
}

async fn assert_ended(sender: &mut SocketSender) {
    let error = sender.send(numbered(0)).await.unwrap_err();
    let kinds = [ErrorKind::Unavailable, ErrorKind::Closed];
    assert!(kinds.contains(&error.kind()), "{error:?}");
}
