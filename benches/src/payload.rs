//! What is sent: the same values on all sides, as JSON or as protobuf (`proto/bench.proto`).

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// An order, about 128 bytes of JSON, which is echoed. Both sides make it anew for each call, encode it, decode it,
/// encode it again, and decode it again.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
pub(crate) struct Order {
    #[prost(uint64, tag = "1")]
    pub(crate) id: u64,
    #[prost(string, tag = "2")]
    customer: String,
    #[prost(string, tag = "3")]
    item: String,
    #[prost(uint32, tag = "4")]
    quantity: u32,
    #[prost(int64, tag = "5")]
    cents: i64,
    #[prost(bool, tag = "6")]
    express: bool,
    #[prost(string, repeated, tag = "7")]
    tags: Vec<String>,
}

impl Order {
    /// One that is told from others by its id.
    pub(crate) fn new(id: u64) -> Self {
        Order {
            id,
            customer: "Ada Lovelace".to_owned(),
            item: "spare gear, 40 teeth".to_owned(),
            quantity: 12,
            cents: 129_900,
            express: true,
            tags: vec!["brass".to_owned()],
        }
    }

    /// Checks that the echo is the answer to the order of this id.
    pub(crate) fn check(&self, id: u64) -> Result<()> {
        ensure!(self.id == id, "order {id} was answered with {}", self.id);
        Ok(())
    }
}

/// Which caller made the call of this id: its upper half.
pub(crate) fn caller_of(id: u64) -> usize {
    (id >> 32) as usize
}

/// As many bytes as an order, which nobody interprets, told from others by their id.
pub(crate) fn raw(id: u64) -> Bytes {
    let mut body = vec![b'.'; 128];
    body[..8].copy_from_slice(&id.to_be_bytes());
    body.into()
}

/// Checks that the echo is the answer to the bytes of this id.
pub(crate) fn check_raw(body: &Bytes, id: u64) -> Result<()> {
    let number = body.first_chunk().context("an answer without a number")?;
    let number = u64::from_be_bytes(*number);
    ensure!(number == id, "bytes {id} were answered with {number}");
    Ok(())
}

/// How many items a stream shall have.
#[derive(Clone, Copy, PartialEq, prost::Message, Serialize, Deserialize)]
pub(crate) struct Upto {
    #[prost(uint64, tag = "1")]
    pub(crate) count: u64,
}

/// One item of a stream, about 30 bytes of JSON.
#[derive(Clone, Copy, PartialEq, prost::Message, Serialize, Deserialize)]
pub(crate) struct Tick {
    #[prost(uint64, tag = "1")]
    pub(crate) number: u64,
    #[prost(int64, tag = "2")]
    cents: i64,
}

impl Tick {
    /// The item of this number.
    pub(crate) fn new(number: u64) -> Self {
        Tick {
            number,
            cents: 129_900,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_about_128_bytes() {
        let size = serde_json::to_vec(&Order::new(123_456)).unwrap().len();
        assert!((124..=132).contains(&size), "{size}");
    }

    #[test]
    fn an_item_is_small() {
        let size = serde_json::to_vec(&Tick::new(500_000)).unwrap().len();
        assert!((24..=36).contains(&size), "{size}");
    }

    #[test]
    fn the_answer_to_another_call_is_noticed() {
        assert!(Order::new(1).check(1).is_ok());
        assert!(Order::new(1).check(2).is_err());
        assert!(check_raw(&raw(1), 1).is_ok());
        assert!(check_raw(&raw(1), 2).is_err());
    }
}
