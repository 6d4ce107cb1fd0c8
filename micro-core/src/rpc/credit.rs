//! How much of a stream may be sent that nobody has read: in items, and in bytes.
//!
//! It counts from the beginning of the stream, in each direction. A writer may send an item while less than the limit was
//! sent before, in both measures. The limit is [`INITIAL`] until the reader raises it, which it does when half of what
//! it allowed has been read.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;

/// What may be sent before a word of the reader.
pub(crate) const INITIAL: Amount = Amount {
    items: 256,
    bytes: 64 << 10,
};

/// Items, and what they take: each its length, and four bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) items: u64,
    pub(crate) bytes: u64,
}

impl Amount {
    pub(crate) fn plus(self, other: Self) -> Self {
        Amount {
            items: self.items.saturating_add(other.items),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    /// What is left of it; nothing in both measures when nothing is in one.
    pub(super) fn less(self, other: Self) -> Option<Self> {
        let items = self.items.checked_sub(other.items).filter(|left| *left > 0)?;
        let bytes = self.bytes.checked_sub(other.bytes).filter(|left| *left > 0)?;
        Some(Amount { items, bytes })
    }

    pub(super) fn max(self, other: Self) -> Self {
        Amount {
            items: self.items.max(other.items),
            bytes: self.bytes.max(other.bytes),
        }
    }

    /// As it travels: both numbers in eight bytes, the highest first.
    pub(crate) fn to_bytes(self) -> Bytes {
        [self.items.to_be_bytes(), self.bytes.to_be_bytes()]
            .concat()
            .into()
    }

    /// Reads what travelled.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (items, bytes) = bytes.split_first_chunk()?;
        Some(Amount {
            items: u64::from_be_bytes(*items),
            bytes: u64::from_be_bytes(bytes.try_into().ok()?),
        })
    }
}

/// What a writer may send, as the other end says.
#[derive(Debug)]
pub(crate) struct Credit(Mutex<Limit>);

#[derive(Debug)]
struct Limit {
    total: Amount,
    writer: Option<Waker>,
}

impl Credit {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Credit(Mutex::new(Limit {
            total: INITIAL,
            writer: None,
        })))
    }

    /// Notes a word of the reader. One that came late, and says less than an earlier one, means nothing.
    pub(crate) fn raise(&self, total: Amount) {
        let writer = {
            let mut limit = self.0.lock();
            limit.total = limit.total.max(total);
            limit.writer.take()
        };
        if let Some(waker) = writer {
            waker.wake();
        }
    }

    /// Waits until more may be sent, and says how much. For one task.
    pub(crate) fn poll_left(&self, sent: Amount, cx: &mut Context<'_>) -> Poll<Amount> {
        let mut limit = self.0.lock();
        match limit.total.less(sent) {
            Some(left) => Poll::Ready(left),
            None => {
                limit.writer = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn amount(items: u64, bytes: u64) -> Amount {
        Amount { items, bytes }
    }

    #[test]
    fn an_amount_survives_the_wire() {
        let bytes = amount(1, 1 << 40).to_bytes();
        assert_eq!(&bytes[..], b"\0\0\0\0\0\0\0\x01\0\0\x01\0\0\0\0\0");
        assert_eq!(Amount::from_bytes(&bytes), Some(amount(1, 1 << 40)));
        for wrong in [&bytes[..15], &bytes[..8], &[], &[0; 17]] {
            assert_eq!(Amount::from_bytes(wrong), None);
        }
    }

    #[test]
    fn a_writer_waits_when_either_measure_is_spent() {
        let credit = Credit::new();
        let left = |items, bytes| {
            let nobody = &mut Context::from_waker(Waker::noop());
            credit.poll_left(amount(items, bytes), nobody)
        };
        assert_eq!(left(0, 0), Poll::Ready(INITIAL));
        assert_eq!(left(255, INITIAL.bytes - 1), Poll::Ready(amount(1, 1)));
        assert!(left(256, 0).is_pending() && left(0, INITIAL.bytes).is_pending());
        // The last item may have taken more than was left.
        assert!(left(1, u64::MAX).is_pending());
        credit.raise(amount(300, 1));
        assert_eq!(left(256, 0), Poll::Ready(amount(44, INITIAL.bytes)));
        credit.raise(amount(299, 0));
        assert_eq!(left(299, 0), Poll::Ready(amount(1, INITIAL.bytes)));
    }
}
