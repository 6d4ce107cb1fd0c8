//! A peer that speaks packets, right or wrong, byte by byte.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a file of tests, none of which uses all of it"
)]

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use micro_core::Listener;
use nats_common::{Connection, Delivery, Mailbox, Outgoing};

pub const MESSAGE: u8 = 0x02;
pub const FIRST: u8 = 0x03;
pub const MORE: u8 = 0x04;
pub const RESET: u8 = 0x08;

/// A dialler without a socket: what it says is written by the test.
pub struct Raw {
    pub connection: Arc<Connection>,
    pub inbox: Mailbox,
    address: String,
}

impl Raw {
    pub fn new(connection: &Arc<Connection>, listener: &Listener) -> Self {
        Raw {
            connection: connection.clone(),
            inbox: connection.mailbox(10_000),
            address: listener.address().to_string(),
        }
    }

    /// One more, to the same listener.
    pub fn another(&self) -> Self {
        Raw {
            connection: self.connection.clone(),
            inbox: self.connection.mailbox(100),
            address: self.address.clone(),
        }
    }

    /// Opens a socket, and says hello.
    pub async fn open(&self) {
        let hello = [hello(), message("hello")].concat();
        self.say(packet(0, &hello)).await;
    }

    pub async fn say(&self, payload: impl Into<Bytes>) {
        let outgoing = Outgoing::new(self.address.as_str(), payload.into());
        let outgoing = outgoing.with_reply(self.inbox.subject().clone());
        self.connection.publish(outgoing).await.unwrap();
    }

    /// The reason for which the socket is given up.
    pub async fn reset(&mut self) -> u8 {
        loop {
            let Delivery::Message(message) = self.inbox.next().await.unwrap().unwrap() else {
                panic!("nobody is there")
            };
            // All of what is said here is short.
            let mut frames = &message.payload[2..];
            while let [kind, len, rest @ ..] = frames {
                if *kind == RESET {
                    return rest[0];
                }
                frames = &rest[usize::from(*len)..];
            }
        }
    }
}

/// A packet with a number below 128.
pub fn packet(number: u8, frames: &[u8]) -> Vec<u8> {
    [&[0x82, number], frames].concat()
}

pub fn frame(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind], &varint(content.len())[..], content].concat()
}

/// Without headers.
pub fn message(body: &str) -> Vec<u8> {
    frame(MESSAGE, &[&[0], body.as_bytes()].concat())
}

/// Allows 1 MiB, takes messages of 1 MiB, and has a home at which nobody is.
pub fn hello() -> Vec<u8> {
    let content = [&varint(1 << 20)[..], &varint(1 << 20), &[0], b"_INBOX.nobody"].concat();
    frame(0x01, &content)
}

pub fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number % 0x80) as u8 | 0x80);
        number /= 0x80;
    }
    bytes.push(number as u8);
    bytes
}
