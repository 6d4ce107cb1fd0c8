//! What a reader of a stream has got, and what it allows its writer.

use crate::rpc::credit::{Amount, INITIAL};

/// How many bytes of one stream may wait for its reader, and one message. It is more than a fast network carries while
/// credit is on its way.
const WAITING: u64 = 1 << 20;

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
    use super::*;

    fn amount(items: u64, bytes: u64) -> Amount {
        Amount { items, bytes }
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
