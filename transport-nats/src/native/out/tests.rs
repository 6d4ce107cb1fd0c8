use micro_core::Message;

use super::*;
use crate::native::content;
use crate::native::frame::{self, Frame, Reason};
use crate::native::incoming::{Incoming, Next, Way, What};
use crate::native::packet::Packet;
use crate::native::spare::Spare;
use crate::native::window::{MESSAGE_COST, cost};

/// What the words are that a style writes, in a frame that needs no more.
const HELLO: Frame<'static> = Frame::Socket("hello");
const PONG: Frame<'static> = Frame::Socket("pong");
const SOCKET: Frame<'static> = Frame::Socket("socket");

fn with_style<T>(max_payload: usize, work: impl FnOnce(&Style<'_>) -> T) -> T {
    work(&Style {
        max_payload,
        hello: &|out| frame::put(out, &HELLO),
        socket: &|out| frame::put(out, &SOCKET),
        pong: &|out| frame::put(out, &PONG),
        packets: &Spare::packets(),
    })
}

fn feed(out: &mut Out, message: Message) {
    with_style(1 << 20, |style| out.feed(&message, style));
}

/// The packets that leave now.
fn leave(out: &mut Out, all: bool, max_payload: usize) -> Vec<Bytes> {
    let next = || {
        with_style(max_payload, |style| out.seal(all, style));
        out.left().map(|sealed| sealed.payload)
    };
    std::iter::from_fn(next).collect()
}

/// What is in a packet, by kind and length.
fn outline(payload: &Bytes) -> Vec<String> {
    let packet = Packet::open(payload).unwrap();
    let mut rest = &packet.frames[..];
    let frames = std::iter::from_fn(|| frame::take(&mut rest));
    let outline = frames.map(|frame| match frame {
        Frame::Message(content) => format!("message of {}", content.len() - 1),
        Frame::First(total, piece) => format!("{} of {total}", piece.len()),
        Frame::More(piece) => format!("{} more", piece.len()),
        Frame::Socket(word) => word.to_owned(),
        word => format!("{word:?}"),
    });
    outline.collect()
}

fn sized(bytes: usize) -> Message {
    Message::new(vec![b'x'; bytes])
}

#[test]
fn what_is_ready_leaves_together_behind_one_hello() {
    let mut out = Out::new();
    for bytes in [1, 2, 3] {
        feed(&mut out, sized(bytes));
    }
    assert!(leave(&mut out, false, 1 << 20).is_empty());
    let [packet] = &leave(&mut out, true, 1 << 20)[..] else {
        panic!("one packet")
    };
    let messages = ["message of 1", "message of 2", "message of 3"];
    assert_eq!(outline(packet), [&["hello"], &messages[..]].concat());
    feed(&mut out, sized(4));
    let packets = leave(&mut out, true, 1 << 20);
    assert_eq!(outline(&packets[0]), ["message of 4"]);
    assert!(out.is_empty());
}

#[test]
fn a_full_packet_does_not_wait_for_a_flush() {
    let mut out = Out::new();
    while out.is_ready() {
        feed(&mut out, sized(1000));
    }
    let packets = leave(&mut out, false, 1 << 20);
    assert_eq!(packets.len(), 1);
    assert!((FULL - 1100..=FULL).contains(&packets[0].len()));
}

#[test]
fn words_travel_along_and_the_end_comes_last() {
    let mut out = Out::new();
    out.due.fin = true;
    out.due.pong = true;
    out.owe_credit(9, 2);
    out.owe_credit(7, 3);
    feed(&mut out, sized(1));
    let packets = leave(&mut out, true, 1 << 20);
    let credit = "Credit { limit: 9, packets: 3 }";
    assert_eq!(
        outline(&packets[0]),
        ["hello", "message of 1", credit, "pong", "Fin"]
    );
    assert_eq!(packets.len(), 1);
}

#[test]
fn nothing_follows_a_reset() {
    let mut out = Out::new();
    out.due.reset = Some((Reason::Failed, "why"));
    assert_eq!(leave(&mut out, true, 1 << 20).len(), 1);
    feed(&mut out, sized(1));
    out.due.ping = true;
    assert!(leave(&mut out, true, 1 << 20).is_empty());
    assert!(out.is_empty());
}

#[test]
fn no_message_begins_beyond_the_limit() {
    let mut out = Out::new();
    out.limit = 3 * MESSAGE_COST;
    let mut fed = 0;
    while out.is_ready() {
        feed(&mut out, sized(0));
        fed += 1;
    }
    assert_eq!(fed, 3);
    out.limit = out.sent + 1;
    assert!(out.is_ready());
}

#[test]
fn a_large_message_waits_for_credit_between_its_pieces() {
    let mut out = Out::new();
    out.limit = 1;
    feed(&mut out, sized(2 << 20));
    assert!(!out.is_ready());
    assert_eq!(leave(&mut out, true, 1 << 20).len(), 1);
    assert!(out.waits_for_credit());
    out.limit = out.sent + 1;
    assert_eq!(leave(&mut out, true, 1 << 20).len(), 1);
    out.limit = u64::MAX;
    assert_eq!(leave(&mut out, true, 1 << 20).len(), 3);
    assert!(out.is_empty() && !out.waits_for_credit());
}

#[test]
fn messages_of_every_size_fit_the_server_and_are_put_together() {
    for max_payload in [1 << 10, 4 << 10, 64 << 10, 1 << 20, 8 << 20] {
        let limit = max_payload.clamp(2 * 768, 512 << 10);
        let around = [1, FULL, FULL - 768, limit, limit - 768, 3 * limit, 2 << 20];
        for size in around.iter().flat_map(|size| size - 1..size + 16) {
            let (mut out, mut incoming) = (
                Out::new(),
                Incoming::new(u64::MAX / 2, u64::MAX, &Spare::messages()),
            );
            out.limit = u64::MAX;
            let message = sized(size).with_header("Name", "value");
            with_style(max_payload, |style| out.feed(&message, style));
            for payload in leave(&mut out, true, max_payload) {
                assert!(payload.len() <= limit, "{} of {limit}", payload.len());
                let packet = Packet::open(&payload).unwrap();
                incoming.take(&packet, Way::Socket).unwrap();
            }
            let (Next::Item(item), _) = incoming.next(0) else {
                panic!("{size}")
            };
            assert_eq!(read(item.what), message, "{size}");
            assert_eq!(item_cost(&mut incoming), 0);
            assert_eq!(out.sent, cost(content::of(&message).len()));
        }
    }
}

fn read(what: What) -> Message {
    let content = match what {
        What::Whole(content) => content,
        What::Frames(frames) => {
            let mut rest = &frames[..];
            let found = std::iter::from_fn(|| frame::take(&mut rest)).find_map(|frame| match frame {
                Frame::Message(content) => Some(frames.slice_ref(content)),
                _ => None,
            });
            found.unwrap()
        }
    };
    content::read(&content, &content).unwrap()
}

fn item_cost(incoming: &mut Incoming) -> u64 {
    match incoming.next(0).0 {
        Next::Item(item) => item.cost(),
        _ => 0,
    }
}

#[test]
fn what_is_dropped_is_counted() {
    let mut out = Out::new();
    for _ in 0..3 {
        feed(&mut out, sized(1));
    }
    with_style(1 << 20, |style| out.seal(true, style));
    feed(&mut out, sized(1));
    feed(&mut out, sized(2 << 20));
    // The peer still counts packets, so that the one that is complete leaves.
    assert_eq!(out.refuse(true), 2);
    assert_eq!(out.refuse(false), 3);
    assert!(out.dropped && out.refused);
    assert_eq!(out.fed, 5);
}

#[test]
fn to_a_home_each_packet_names_its_socket() {
    let mut out = Out::new();
    feed(&mut out, sized(1));
    leave(&mut out, true, 1 << 20);
    out.leaving = true;
    for _ in 0..2 {
        out.owe_credit(1, 1);
        let packets = leave(&mut out, true, 1 << 20);
        assert_eq!(
            outline(&packets[0]),
            ["socket", "Credit { limit: 1, packets: 1 }"]
        );
    }
}
