use bytes::Bytes;
use micro_core::{ErrorKind, Message};

use super::*;
use crate::ending::Failure;
use crate::native::breach::Breach;
use crate::native::content;
use crate::native::frame::{self, Frame, Reason};
use crate::native::packet::{self, Packet};
use crate::native::spare::Spare;
use crate::native::window::MESSAGE_COST;

const WINDOW: u64 = 4000;

fn incoming() -> Incoming {
    Incoming::new(WINDOW, 100_000, &Spare::messages())
}

fn packet(number: u64, frames: &[Frame<'_>]) -> Packet {
    let mut bytes = Vec::new();
    packet::put_head(&mut bytes, number);
    frames.iter().for_each(|frame| frame::put(&mut bytes, frame));
    Packet::open(&bytes.into()).unwrap()
}

fn take(incoming: &mut Incoming, number: u64, frames: &[Frame<'_>]) -> Result<Option<u64>, Breach> {
    let packet = packet(number, frames);
    incoming.take(&packet, Way::Socket).map(|news| news.grant)
}

fn item(incoming: &mut Incoming, done: u64) -> (Item, Option<u64>) {
    match incoming.next(done) {
        (Next::Item(item), grant) => (item, grant),
        (next, _) => panic!("{next:?}"),
    }
}

fn nothing(incoming: &mut Incoming, done: u64) -> Option<u64> {
    match incoming.next(done) {
        (Next::Wait, grant) => grant,
        (next, _) => panic!("{next:?}"),
    }
}

#[test]
fn the_messages_of_a_packet_wait_together() {
    let mut incoming = incoming();
    let frames = [Frame::Message(b"one"), Frame::Ping, Frame::Message(b"two")];
    take(&mut incoming, 0, &frames).unwrap();
    let (item, _) = item(&mut incoming, 0);
    assert_eq!((item.messages, item.cost()), (2, 6 + 2 * MESSAGE_COST));
    nothing(&mut incoming, item.cost());
}

#[test]
fn pieces_are_one_message_in_its_place() {
    let mut incoming = incoming();
    let first = [Frame::Message(b"before"), Frame::First(6, b"ab")];
    take(&mut incoming, 0, &first).unwrap();
    take(&mut incoming, 1, &[Frame::More(b"cd")]).unwrap();
    take(&mut incoming, 2, &[Frame::More(b"ef"), Frame::Message(b"after")]).unwrap();
    let waiting: Vec<_> = (0..3).map(|_| item(&mut incoming, 0).0.what).collect();
    match &waiting[..] {
        [What::Frames(before), What::Whole(content), What::Frames(after)] => {
            assert_eq!(&content[..], b"abcdef");
            assert_eq!(frame::take(&mut &before[..]), Some(Frame::Message(b"before")));
            assert_eq!(frame::take(&mut &after[..]), Some(Frame::Message(b"after")));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_larger_than_the_window_is_let_in_while_nothing_waits_before_it() {
    let mut incoming = incoming();
    let piece = [0; 1000];
    let first = take(&mut incoming, 0, &[Frame::First(50_000, &piece)]).unwrap();
    let mut granted = first.unwrap_or(WINDOW);
    for number in 1..50 {
        let grant = take(&mut incoming, number, &[Frame::More(&piece)]).unwrap();
        assert!(grant.is_none_or(|grant| (granted..=granted + WINDOW).contains(&grant)));
        granted = grant.unwrap_or(granted);
        assert!(granted > 1000 * (number + 1) + MESSAGE_COST);
    }
    assert_eq!(
        granted,
        WINDOW + 50_000 + MESSAGE_COST,
        "and no more behind it than ever"
    );
    let (item, _) = item(&mut incoming, 0);
    assert!(matches!(item.what, What::Whole(content) if content.len() == 50_000));
}

#[test]
fn a_message_in_pieces_waits_for_the_reader_of_those_before_it() {
    let mut incoming = incoming();
    let first = [Frame::Message(b""), Frame::First(50_000, &[0; 1000])];
    assert_eq!(take(&mut incoming, 0, &first), Ok(None));
    assert_eq!(take(&mut incoming, 1, &[Frame::More(&[0; 1000])]), Ok(None));
    // What is being read still counts.
    let (before, grant) = item(&mut incoming, 0);
    assert_eq!(grant, None);
    let grant = nothing(&mut incoming, before.cost());
    let read = 2000 + 2 * MESSAGE_COST;
    assert_eq!(grant, Some(read + WINDOW), "a window more, and no more at once");
}

#[test]
fn a_gap_and_a_repetition_are_told_apart() {
    let mut incoming = incoming();
    take(&mut incoming, 0, &[Frame::Ping]).unwrap();
    assert_eq!(take(&mut incoming, 2, &[Frame::Ping]), Err(Breach::Gap));
    assert_eq!(take(&mut incoming, 0, &[Frame::Ping]), Err(Breach::Repeated));
    take(&mut incoming, 1, &[Frame::Ping]).unwrap();
    assert_eq!(incoming.taken(), (2, WINDOW));
}

#[test]
fn more_than_the_window_is_a_breach() {
    let mut incoming = incoming();
    for number in 0..4 {
        take(&mut incoming, number, &[Frame::Message(b"")]).unwrap();
    }
    let more = take(&mut incoming, 4, &[Frame::Message(b"")]);
    assert_eq!(more, Err(Breach::Overflow));
}

#[test]
fn lengths_that_lie_are_breaches() {
    for (frames, breach) in [
        (&[Frame::First(100_001, b"")][..], Breach::TooLarge),
        (&[Frame::First(2, b"abc")], Breach::Malformed),
        (&[Frame::First(3, b"ab"), Frame::More(b"cd")], Breach::Malformed),
        (
            &[Frame::First(3, b"ab"), Frame::First(3, b"c")],
            Breach::Malformed,
        ),
        (&[Frame::First(3, b"ab"), Frame::Message(b"")], Breach::Malformed),
        (&[Frame::More(b"c")], Breach::Malformed),
    ] {
        assert_eq!(take(&mut incoming(), 0, frames), Err(breach), "{frames:?}");
    }
}

#[test]
fn a_reset_needs_no_number_and_is_heard_alone() {
    let mut incoming = incoming();
    let packet = packet(9, &[Frame::Reset(Reason::Unknown, "who?"), Frame::Message(b"")]);
    let news = incoming.take(&packet, Way::Socket).unwrap();
    assert_eq!(news.reset, Some((Reason::Unknown, "who?")));
    assert!(!incoming.has_something());
}

#[test]
fn words_may_come_to_the_home_and_messages_may_not() {
    let mut incoming = incoming();
    let packet_of = |frame| packet(7, &[Frame::Socket("_INBOX.a.7"), frame]);
    let words = packet_of(Frame::Stop(3));
    assert_eq!(incoming.take(&words, Way::Home).unwrap().stop, Some(3));
    // What was sent before may still be on its way to the address.
    let end = packet_of(Frame::Fin);
    assert!(!incoming.take(&end, Way::Home).unwrap().fin);
    let message = packet_of(Frame::Message(b""));
    assert_eq!(incoming.take(&message, Way::Home).unwrap_err(), Breach::Malformed);
}

#[test]
fn what_follows_a_failure_is_neither_kept_nor_blamed() {
    let mut incoming = incoming();
    incoming.ending.fail(Failure::new(ErrorKind::Unavailable, "lost"));
    assert_eq!(take(&mut incoming, 17, &[Frame::More(b"")]), Ok(None));
    assert!(!incoming.has_something());
}

#[test]
fn what_nobody_reads_is_taken_and_not_kept() {
    let mut incoming = incoming();
    let begun = [Frame::Message(b"one"), Frame::First(6, b"abc")];
    take(&mut incoming, 0, &begun).unwrap();
    assert!(incoming.abandon(false));
    take(&mut incoming, 1, &[Frame::More(b"def"), Frame::Message(b"two")]).unwrap();
    assert!(!incoming.has_something());
    assert_eq!(incoming.taken().0, 2);
}

#[test]
fn an_idle_end_keeps_no_room() {
    let mut incoming = incoming();
    let content = content::of(&Message::new(Bytes::from_static(b"body")));
    let mut done = 0;
    for number in 0..3 {
        take(&mut incoming, number, &[Frame::Message(&content)]).unwrap();
    }
    assert!(incoming.queue.room() > 0);
    for _ in 0..3 {
        let (item, _) = item(&mut incoming, done);
        done = item.cost();
    }
    nothing(&mut incoming, done);
    assert_eq!(incoming.queue.room(), 0);
}

/// What of these packets is kept while nobody reads, in bytes.
fn kept(incoming: &mut Incoming, packets: &[Packet]) -> usize {
    for packet in packets {
        incoming.take(packet, Way::Socket).unwrap();
    }
    let kept = packets.iter().filter(|packet| !packet.frames.is_unique());
    kept.map(|packet| packet.frames.len()).sum()
}

/// A frame of a later version, which costs nothing.
const PADDING: [u8; 1003] = {
    let mut padding = [0; 1003];
    (padding[0], padding[1], padding[2]) = (0x40, 0xe8, 0x07);
    padding
};

fn padded(number: u64, frame: &Frame<'_>) -> Packet {
    let mut bytes = Vec::new();
    packet::put_head(&mut bytes, number);
    PADDING
        .iter()
        .cycle()
        .take(9 * PADDING.len())
        .for_each(|byte| bytes.push(*byte));
    frame::put(&mut bytes, frame);
    bytes.extend_from_slice(&PADDING);
    Packet::open(&bytes.into()).unwrap()
}

#[test]
fn what_pads_a_packet_is_not_kept() {
    let mut incoming = incoming();
    let packets: Vec<_> = (0..3)
        .map(|number| padded(number, &Frame::Message(b"little")))
        .collect();
    assert_eq!(kept(&mut incoming, &packets), 0);
    for _ in 0..3 {
        match item(&mut incoming, 0).0.what {
            What::Frames(frames) => {
                assert_eq!(frame::take(&mut &frames[..]), Some(Frame::Message(b"little")))
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn pieces_hold_no_packet() {
    let mut incoming = incoming();
    let mut packets = vec![padded(0, &Frame::First(1200, b"a"))];
    let more = (1..200).map(|number| padded(number, &Frame::More(if number % 2 == 0 { b"" } else { b"b" })));
    packets.extend(more);
    packets.push(packet(200, &[Frame::More(&[b'c'; 1000])]));
    packets.push(packet(201, &[Frame::More(&[b'd'; 99])]));
    assert_eq!(kept(&mut incoming, &packets), 0);
    match item(&mut incoming, 0).0.what {
        What::Whole(content) => {
            let expected = ["a", &"b".repeat(100), &"c".repeat(1000), &"d".repeat(99)].concat();
            assert_eq!(content, expected);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn room_is_made_for_what_came_and_not_for_what_is_announced() {
    let mut incoming = incoming();
    take(&mut incoming, 0, &[Frame::First(100_000, &[0; 10])]).unwrap();
    for number in 1..=100 {
        let came = 10 * usize::try_from(number).unwrap();
        let room = incoming.pieces.as_ref().unwrap().room();
        assert!((came..=2 * came).contains(&room), "{room} for {came}");
        take(&mut incoming, number, &[Frame::More(&[0; 10])]).unwrap();
    }
}
