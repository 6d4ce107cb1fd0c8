//! What is sent and echoed: about 128 bytes of JSON.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// An order. Both sides make it anew for each call, encode it, decode it, encode it again, and decode it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) id: u64,
    customer: String,
    item: String,
    quantity: u32,
    cents: i64,
    express: bool,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_about_128_bytes() {
        let size = serde_json::to_vec(&Order::new(123_456)).unwrap().len();
        assert!((124..=132).contains(&size), "{size}");
    }

    #[test]
    fn the_answer_to_another_call_is_noticed() {
        assert!(Order::new(1).check(1).is_ok());
        assert!(Order::new(1).check(2).is_err());
    }
}
