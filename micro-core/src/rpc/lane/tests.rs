use bytes::Bytes;
use futures::{FutureExt, StreamExt};

use super::*;
use crate::rpc::credit::INITIAL;
use crate::rpc::items::Items;

fn one() -> Chunk {
    Chunk::One(Bytes::new())
}

fn two() -> Chunk {
    Chunk::Many(Items::open(Bytes::from_static(&[0; 8])).unwrap())
}

async fn read(lane: &mut Lane) -> u64 {
    lane.next().await.unwrap().unwrap().amount().items
}

#[tokio::test]
async fn a_writer_waits_while_as_many_items_wait_as_may() {
    let (sender, mut lane) = lane(3, false);
    for item in [two(), two()] {
        assert_eq!(sender.send(item).now_or_never(), Some(Sent::Well));
    }
    let waits = sender.send(one());
    tokio::pin!(waits);
    assert!(futures::poll!(&mut waits).is_pending());
    assert_eq!(read(&mut lane).await, 2);
    assert_eq!(waits.await, Sent::Well);
    assert_eq!((read(&mut lane).await, read(&mut lane).await), (2, 1));
    assert!(sender.teller().due().now_or_never().is_none());
}

#[tokio::test]
async fn who_does_not_wait_gets_back_what_there_is_no_room_for() {
    let (sender, mut lane) = lane(3, false);
    for item in [two(), two()] {
        assert_eq!(sender.try_send(item).unwrap(), Sent::Well);
    }
    let back = sender.try_send(one()).unwrap_err();
    assert_eq!(read(&mut lane).await, 2);
    assert_eq!(sender.try_send(back).unwrap(), Sent::Well);
    assert_eq!((read(&mut lane).await, read(&mut lane).await), (2, 1));
    drop(lane);
    assert_eq!(sender.try_send(one()).unwrap(), Sent::Unread);
}

#[tokio::test]
async fn a_peer_is_held_to_its_credit_and_told_of_more() {
    let (sender, mut lane) = lane(1000, true);
    let teller = sender.teller();
    for _ in 0..INITIAL.items / 2 {
        assert_eq!(sender.send(two()).await, Sent::Well);
    }
    assert_eq!(sender.send(one()).await, Sent::TooMuch);
    let due = teller.due();
    tokio::pin!(due);
    for _ in 0..INITIAL.items / 4 {
        assert!(futures::poll!(&mut due).is_pending());
        read(&mut lane).await;
    }
    assert_eq!(due.await.items, INITIAL.items / 2 + 1000);
    assert_eq!(sender.send(one()).await, Sent::Well);
}

#[tokio::test]
async fn what_was_sent_comes_before_the_end() {
    for status in [None, Some(Status::internal("no"))] {
        let (sender, mut lane) = lane(3, true);
        assert_eq!(sender.send(one()).await, Sent::Well);
        match status.clone() {
            Some(status) => sender.fail(status),
            None => drop(sender),
        }
        assert_eq!(read(&mut lane).await, 1);
        assert_eq!(lane.next().await.map(Result::unwrap_err), status);
        assert!(lane.next().await.is_none());
    }
}

#[tokio::test]
async fn a_stream_that_a_panic_cut_off_does_not_end_well() {
    let (sender, mut lane) = lane(3, true);
    let writer = async move {
        sender.send(one()).await;
        panic!("in the middle")
    };
    assert!(tokio::spawn(writer).await.unwrap_err().is_panic());
    assert_eq!(read(&mut lane).await, 1);
    let end = lane.next().await.unwrap().unwrap_err();
    assert_eq!(end.code(), crate::rpc::Code::Internal);
    assert!(lane.next().await.is_none());
}

#[tokio::test]
async fn a_writer_learns_that_nobody_reads() {
    let (sender, lane) = lane(1, false);
    assert_eq!(sender.send(one()).await, Sent::Well);
    let waits = sender.send(one());
    tokio::pin!(waits);
    assert!(futures::poll!(&mut waits).is_pending());
    drop(lane);
    assert_eq!(waits.await, Sent::Unread);
}
