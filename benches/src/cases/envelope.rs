//! go-micro's envelope alone: what it costs to write and to read a message, beside what one would write by hand.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use micro_core::Message;
use nats_common::envelope;
use serde::{Deserialize, Serialize};

use super::Case;
use crate::load::{Sample, Setup, Side, nanos};
use crate::rounds::Contest;

const PEER: &str = "serde_json and base64, a map of headers";

/// How many messages are counted and timed as one, so that microseconds are nanoseconds a message.
const THOUSAND: usize = 1000;

pub(crate) fn cases() -> Vec<Case> {
    let small = [
        (
            "envelope_encode_128",
            "1,000 envelopes written: 10 headers, 128 B",
            encode as Work,
            by_hand_encode as Work,
        ),
        (
            "envelope_decode_128",
            "1,000 envelopes read: 10 headers, 128 B",
            decode,
            by_hand_decode,
        ),
    ];
    let large = [
        (
            "envelope_encode_512k",
            "an envelope written: 10 headers, 512 KiB",
            encode as Work,
            by_hand_encode as Work,
        ),
        (
            "envelope_decode_512k",
            "an envelope read: 10 headers, 512 KiB",
            decode,
            by_hand_decode,
        ),
    ];
    let small = small.map(|case| sized(case, 128, THOUSAND).unit("1,000/s"));
    let large = large.map(|case| sized(case, 512 << 10, 1).unit("messages/s"));
    small.into_iter().chain(large).collect()
}

fn sized((id, title, ours, peer): (&str, &'static str, Work, Work), size: usize, batch: usize) -> Case {
    Case::new(id, title, PEER, move |_, _| {
        std::future::ready(contest(ours, peer, size, batch))
    })
}

fn contest(ours: Work, peer: Work, size: usize, batch: usize) -> Result<Contest> {
    Ok(Contest {
        ours: vec![setup(ours, size, batch)?],
        peer: vec![setup(peer, size, batch)?],
    })
}

fn setup(work: Work, size: usize, batch: usize) -> Result<Setup> {
    let sample = Messages::new(size)?;
    let bench = Bench { work, sample, batch };
    Ok(Setup::new("one thread", bench, ()))
}

type Work = fn(&Messages) -> Result<()>;

/// One message in all the forms that are needed.
struct Messages {
    ours: Message,
    by_hand: ByHand,
    written: Bytes,
}

/// What serde makes of an envelope.
#[derive(Serialize, Deserialize)]
struct ByHand {
    #[serde(rename = "Header")]
    header: BTreeMap<String, String>,
    #[serde(rename = "Body")]
    body: String,
}

impl Messages {
    /// A request as a Go client makes it, with metadata of its own.
    fn new(size: usize) -> Result<Self> {
        let headers = [
            ("Accept", "application/json"),
            ("Content-Type", "application/json"),
            ("Micro-Endpoint", "Greeter.Hello"),
            ("Micro-ID", "123456"),
            ("Micro-Method", "Greeter.Hello"),
            ("Micro-Service", "greeter"),
            ("Timeout", "5000000000"),
            ("Tenant", "blue"),
            (
                "Traceparent",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            ),
            ("User", "ada@example.com"),
        ];
        let body: Vec<u8> = (0..size).map(|n| b' ' + (n % 90) as u8).collect();
        let mut ours = Message::new(body.clone());
        ours.headers.extend(headers);
        let mut by_hand = ByHand {
            header: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            body: STANDARD.encode(&body),
        };
        // In the order in which go-micro writes it.
        let written = serde_json::to_vec(&by_hand)?.into();
        by_hand.body.clear();
        Ok(Messages {
            ours,
            by_hand,
            written,
        })
    }
}

fn encode(messages: &Messages) -> Result<()> {
    black_box(envelope::encode(black_box(&messages.ours))?);
    Ok(())
}

fn decode(messages: &Messages) -> Result<()> {
    let message = envelope::decode(black_box(&messages.written))?;
    ensure!(message.body.len() == messages.ours.body.len(), "another body");
    black_box(message);
    Ok(())
}

fn by_hand_encode(messages: &Messages) -> Result<()> {
    let envelope = ByHand {
        header: messages.by_hand.header.clone(),
        body: STANDARD.encode(black_box(&messages.ours.body)),
    };
    black_box(serde_json::to_vec(&envelope)?);
    Ok(())
}

fn by_hand_decode(messages: &Messages) -> Result<()> {
    let envelope: ByHand = serde_json::from_slice(black_box(&messages.written))?;
    let body = STANDARD.decode(&envelope.body)?;
    ensure!(body.len() == messages.ours.body.len(), "another body");
    black_box((envelope.header, body));
    Ok(())
}

/// Does it again and again, on one thread.
struct Bench {
    work: Work,
    sample: Messages,
    batch: usize,
}

impl Bench {
    fn measure(&self, window: Duration) -> Result<Sample> {
        let start = Instant::now();
        let mut spans = Vec::new();
        while start.elapsed() < window {
            let before = Instant::now();
            for _ in 0..self.batch {
                (self.work)(&self.sample)?;
            }
            spans.push(nanos(before.elapsed()));
        }
        Sample::new(spans, start.elapsed())
    }
}

impl Side for Bench {
    fn round(&self, window: Duration) -> BoxFuture<'_, Result<Sample>> {
        std::future::ready(self.measure(window)).boxed()
    }
}
