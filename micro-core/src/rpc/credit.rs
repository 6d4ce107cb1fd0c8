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

/// How many bytes of one stream may wait for its reader, and one message. It is more than a fast network carries while
/// credit is on its way.
const WAITING: u64 = 1 << 20;

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
    fn less(self, other: Self) -> Option<Self> {
        let items = self.items.checked_sub(other.items).filter(|left| *left > 0)?;
        let bytes = self.bytes.checked_sub(other.bytes).filter(|left| *left > 0)?;
        Some(Amount { items, bytes })
    }

    fn max(self, other: Self) -> Self {
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

/// What a reader has got, and what it allows.
#[derive(Debug)]
pub(crate) struct Account {
    came: Amount,
    read: Amount,
    /// What may come in all.
    allowed: Amount,
    /// How much could still come when it was last allowed.
    span: Amount,
    /// How much may wait.
    window: Amount,
}

impl Account {
    /// For a reader for whom so many items may wait.
    pub(crate) fn new(items: usize) -> Self {
        Account {
            came: Amount::default(),
            read: Amount::default(),
            allowed: INITIAL,
            span: INITIAL,
            window: Amount {
                items: items as u64,
                bytes: WAITING,
            },
        }
    }

    /// Whether one more message may wait, where nobody counts on credit.
    pub(crate) fn has_room(&self) -> bool {
        self.read.plus(self.window).less(self.came).is_some()
    }

    /// Notes what came.
    pub(crate) fn come(&mut self, amount: Amount) {
        self.came = self.came.plus(amount);
    }

    /// Whether so much may come now: no item too many, and it has to begin within what is allowed.
    pub(crate) fn allows(&self, amount: Amount) -> bool {
        self.allowed
            .less(self.came)
            .is_some_and(|left| amount.items <= left.items)
    }

    /// Notes what was read.
    pub(crate) fn read(&mut self, amount: Amount) {
        self.read = self.read.plus(amount);
    }

    /// Allows more when half of it has been read.
    pub(crate) fn allow(&mut self) -> Option<Amount> {
        let next = self.read.plus(self.window).max(self.allowed);
        if next == self.allowed || !self.is_half_read() {
            return None;
        }
        self.allowed = next;
        self.span = self.window;
        Some(next)
    }

    fn is_half_read(&self) -> bool {
        let left = |allowed: u64, read: u64| allowed.saturating_sub(read);
        left(self.allowed.items, self.read.items) <= self.span.items / 2
            || left(self.allowed.bytes, self.read.bytes) <= self.span.bytes / 2
    }

    /// Whether [`allow`](Account::allow) would.
    pub(crate) fn is_due(&self) -> bool {
        self.is_half_read() && self.read.plus(self.window).max(self.allowed) != self.allowed
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

    #[test]
    fn more_is_allowed_when_half_has_been_read() {
        let mut account = Account::new(1000);
        account.come(amount(256, 256));
        assert_eq!(account.allow(), None);
        account.read(amount(127, 127));
        assert!(!account.is_due());
        account.read(amount(1, 1));
        assert!(account.is_due());
        assert_eq!(account.allow(), Some(amount(1128, WAITING + 128)));
        assert_eq!(account.allow(), None);
        account.read(amount(499, 0));
        assert_eq!(account.allow(), None);
        account.read(amount(1, 0));
        assert_eq!(account.allow().map(|allowed| allowed.items), Some(1628));
    }

    #[test]
    fn a_small_window_never_takes_back_what_was_allowed() {
        let mut account = Account::new(1);
        for _ in 0..255 {
            account.come(amount(1, 1));
            account.read(amount(1, 1));
            assert!(account.allow().is_none_or(|allowed| allowed.items == 256));
        }
        account.come(amount(1, 1));
        account.read(amount(1, 1));
        assert_eq!(account.allow().map(|allowed| allowed.items), Some(257));
    }

    #[test]
    fn what_begins_within_the_limit_may_take_more() {
        let mut account = Account::new(1000);
        assert!(account.allows(amount(256, u64::MAX)) && !account.allows(amount(257, 0)));
        account.come(amount(1, INITIAL.bytes - 1));
        assert!(account.allows(amount(255, 1 << 20)));
        account.come(amount(1, 1));
        assert!(!account.allows(amount(1, 0)));
    }

    #[test]
    fn without_credit_one_more_may_wait_while_there_is_room() {
        let mut account = Account::new(2);
        account.come(amount(1, 10));
        assert!(account.has_room());
        account.come(amount(1, 10));
        assert!(!account.has_room());
        account.read(amount(1, 10));
        assert!(account.has_room());
        account.come(amount(0, WAITING));
        assert!(!account.has_room());
    }
}
