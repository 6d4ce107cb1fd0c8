//! The packets of `tests/vectors/native.txt`, which other implementations may read too, both ways.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use micro_core::Message;

use super::content;
use super::frame::{self, Frame, Hello, Reason, Sign};
use super::packet::{self, Packet};

const VECTORS: &str = include_str!("../../tests/vectors/native.txt");

const HOME: Sign<'static> = Sign {
    epoch: 0,
    home: "_INBOX.MZKNJJQW7DTZ0WOTGYKSTP.1",
};

/// What is in a frame of a vector.
enum Part {
    Word(Frame<'static>),
    Message(Message),
}

use Part::Word;

fn message(headers: &[(&'static str, &'static str)], body: &'static [u8]) -> Part {
    let message = Message::new(Bytes::from_static(body));
    let with =
        |message: Message, (name, value): &(&'static str, &'static str)| message.with_header(*name, *value);
    Part::Message(headers.iter().fold(message, with))
}

fn call() -> Part {
    let headers = [
        ("Micro-Service", "greeter"),
        ("Micro-Endpoint", "Greeter.Hello"),
        ("Content-Type", "application/json"),
        ("Timeout", "29999999999"),
        ("Micro-ID", "300"),
    ];
    message(&headers, b"\"Ada\"")
}

/// In the order of the file.
fn packets() -> Vec<(u64, Vec<Part>)> {
    let hello = Frame::Hello(Hello {
        limit: 4 << 20,
        max_message: 64 << 20,
        sign: HOME,
    });
    let answer = [("Content-Type", "application/json"), ("Micro-ID", "300")];
    let odd = [("Größe", "groß"), ("Micro-ID", "007"), ("Timeout", "")];
    let credit = |packets| Frame::Credit {
        limit: 6 << 20,
        packets,
    };
    let lost = Frame::Reset(Reason::Lost, "packets were lost on their way here");
    vec![
        (0, vec![Word(hello), call()]),
        (1, vec![message(&answer, b"\"Hello, Ada!\"")]),
        (
            300,
            vec![message(&[], b""), message(&[], b"last"), Word(Frame::Fin)],
        ),
        (2, vec![message(&odd, b"\x00\xff")]),
        (3, vec![Word(Frame::First(1_000_000, b"\0piece"))]),
        (4, vec![Word(Frame::More(b"piece"))]),
        (5, vec![Word(credit(17))]),
        (6, vec![Word(Frame::Stop(12))]),
        (7, vec![Word(lost)]),
        (8, vec![Word(Frame::GoAway)]),
        (0, vec![Word(Frame::Ping)]),
        (0, vec![Word(Frame::Pong(Sign { epoch: 2, ..HOME }))]),
        (9, vec![Word(Frame::Socket("_INBOX.a.7")), Word(credit(18))]),
        (10, vec![Word(Frame::Unknown), Word(Frame::Fin)]),
    ]
}

fn vectors() -> Vec<(&'static str, Bytes)> {
    let lines = VECTORS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let lines = lines.map(|line| line.rsplit_once(": ").expect("a name and bytes"));
    lines.map(|(name, hex)| (name, bytes(hex))).collect()
}

fn bytes(hex: &str) -> Bytes {
    let digits = (0..hex.len()).step_by(2).map(|at| &hex[at..at + 2]);
    digits
        .map(|pair| u8::from_str_radix(pair, 16).expect("two digits"))
        .collect()
}

fn write(number: u64, parts: &[Part]) -> Vec<u8> {
    let mut out = Vec::new();
    packet::put_head(&mut out, number);
    for part in parts {
        match part {
            Word(word) => frame::put(&mut out, word),
            Part::Message(message) => frame::put(&mut out, &Frame::Message(&content::of(message))),
        }
    }
    out
}

#[test]
fn packets_are_written_as_in_the_file() {
    let (vectors, packets) = (vectors(), packets());
    assert_eq!(vectors.len(), packets.len());
    for ((name, bytes), (number, parts)) in vectors.iter().zip(packets) {
        assert_eq!(write(number, &parts), bytes[..], "{name}");
    }
}

#[test]
fn packets_are_read_as_in_the_file() {
    for ((name, bytes), (number, parts)) in vectors().iter().zip(packets()) {
        let packet = Packet::open(bytes).unwrap();
        assert_eq!(packet.number, number, "{name}");
        let mut rest = &packet.frames[..];
        for part in parts {
            match (part, frame::take(&mut rest)) {
                (Word(word), Some(frame)) => assert_eq!(word, frame, "{name}"),
                (Part::Message(message), Some(Frame::Message(content))) => {
                    assert_eq!(content::read(&packet.frames, content), Some(message), "{name}");
                }
                (_, other) => panic!("{name}: {other:?}"),
            }
        }
        assert!(rest.is_empty(), "{name}");
    }
}
