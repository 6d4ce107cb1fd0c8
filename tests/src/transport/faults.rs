//! What becomes of sockets when something goes wrong below them: an error, and never a hang.

use std::sync::Arc;

use micro_core::{ErrorKind, Message, Socket};
use tokio::sync::Semaphore;

use super::TransportWorld;
use super::pair::{Sides, listen, pair, peer, receive};
use crate::clause::skip;
use crate::value::{number, numbered};

/// A message that is lost on its way ends its socket with an error, in either direction: those before it are handed out,
/// and none behind it.
pub async fn a_lost_message_is_an_error_and_no_hang(world: &TransportWorld) {
    if !world.open().await.capabilities().loss_notice {
        return skip("loss is not noticed");
    }
    let Some(faults) = world.faults() else {
        return skip("nothing is lost here");
    };
    for turn in [false, true] {
        let (lossy, lose) = faults.open_lossy().await;
        let whole = world.open().await;
        let (here, there) = if turn { (whole, lossy) } else { (lossy, whole) };
        let listener = listen(&there).await;
        let mut sides = Sides {
            here,
            there,
            listener,
        };
        let (mut near, mut far) = sides.connect().await;
        far.send(Message::new("welcome")).await.unwrap();
        assert_eq!(receive(&mut near).await.body, "welcome");
        let (writer, mut reader) = if turn { (far, near) } else { (near, far) };
        let sending = tokio::spawn(count_up(writer, Arc::new(Semaphore::new(1 << 20))));
        let mut next = expect_numbers(&mut reader, 0, 100).await;
        lose();
        let error = loop {
            match reader.recv().await.expect("an error, and no good end") {
                Ok(message) => assert_eq!(number(&message), next),
                Err(error) => break error,
            }
            next += 1;
        };
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert!(reader.recv().await.is_none());
        // Its writer learns of it, too.
        sending.await.unwrap();
    }
}

/// Whoever waits for a peer whose process was killed gets an error.
pub async fn a_killed_peer_ends_every_wait_for_it(world: &TransportWorld) {
    let Some(faults) = world.faults() else {
        return skip("there are no other processes here");
    };
    let here = world.open().await;
    // Listeners of one kind say the same of themselves.
    let model = listen(&here).await;
    let mut killed = faults.start_peer().await;
    let mut sockets = Vec::new();
    for _ in 0..10 {
        let mut near = here.dial(killed.address(), peer(&model)).await.unwrap();
        near.send(Message::new("hello")).await.unwrap();
        receive(&mut near).await;
        sockets.push(near);
    }
    killed.kill().await;
    for mut near in sockets {
        let error = near.recv().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert_eq!(error.undelivered(), 0, "{error:?}");
        assert!(near.recv().await.is_none());
    }
}

/// What is below is killed and started again in the middle of a stream: both ends get an error, and what came before it
/// is in order and without a gap.
pub async fn a_restart_in_the_middle_of_a_stream_is_an_error(world: &TransportWorld) {
    let Some(faults) = world.faults() else {
        return skip("there is nothing below that could restart");
    };
    let (mut near, far, _sides) = pair(world).await;
    let room = Arc::new(Semaphore::new(1000));
    let sending = tokio::spawn(count_up(far, room.clone()));
    let mut next = expect_numbers(&mut near, 0, 500).await;
    let error = tokio::join!(faults.restart(), async {
        loop {
            match near.recv().await.expect("an error, and no good end") {
                Ok(message) => assert_eq!(number(&message), next),
                Err(error) => break error,
            }
            next += 1;
            room.add_permits(1);
        }
    })
    .1;
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    room.add_permits(1 << 20);
    sending.await.unwrap();
}

/// Sends numbers until the socket refuses; each waits for room, so that no reader without flow control falls behind.
async fn count_up(socket: Socket, room: Arc<Semaphore>) {
    let (mut sender, _receiver) = socket.split();
    for index in 0.. {
        room.acquire().await.unwrap().forget();
        if sender.send(numbered(index)).await.is_err() {
            return;
        }
    }
}

async fn expect_numbers(socket: &mut Socket, from: usize, to: usize) -> usize {
    for expected in from..to {
        assert_eq!(number(&receive(socket).await), expected);
    }
    to
}
