//! How far the other end may send: a credit that grows as its messages are read.
//!
//! Offsets count from the beginning of the socket, so that saying one twice, or late, does no harm. A message may be
//! begun while the offset before it is below the limit: one message, or one piece of it, may exceed the limit.

/// How many bytes wait for a reader before their writer waits.
pub(crate) const WINDOW: u64 = 4 << 20;

/// How many bytes of one large message may be under way: they do not wait for its reader, but are put together as they
/// come. More than that, and what others send on the connection waits for longer.
const LARGE: u64 = 4 * WINDOW;

/// How far each end may send before the other has said how far.
pub(crate) const INITIAL: u64 = 256 << 10;

/// What a message costs beside its bytes: so that not many small ones wait either.
pub(crate) const MESSAGE_COST: u64 = 1024;

/// What a content of that length costs.
pub(crate) fn cost(content: usize) -> u64 {
    content as u64 + MESSAGE_COST
}

/// The receiving side of one direction.
#[derive(Debug)]
pub(crate) struct Window {
    size: u64,
    received: u64,
    consumed: u64,
    granted: u64,
}

impl Window {
    pub(crate) fn new(size: u64) -> Self {
        Window {
            size,
            received: 0,
            consumed: 0,
            granted: size,
        }
    }

    /// Something of that cost came; whether it was allowed.
    pub(crate) fn receive(&mut self, cost: u64) -> bool {
        let allowed = self.received < self.granted;
        self.received = self.received.saturating_add(cost);
        allowed
    }

    /// Something of that cost does not wait any more: how far the other end may send, when it has to be told.
    ///
    /// Of a message of which `missing` bytes are still to come, and before which nothing waits, more may be under way: when
    /// it is complete, no more than ever may follow.
    pub(crate) fn consume(&mut self, cost: u64, missing: u64) -> Option<u64> {
        self.consumed = self.consumed.saturating_add(cost);
        let ahead = self.size.saturating_add(missing).min(LARGE.max(self.size));
        // A window at a time: whoever hears it sends all of that at once, and others on its connection wait meanwhile.
        let next = self.granted.max(self.consumed).saturating_add(self.size);
        let limit = self.consumed.saturating_add(ahead).min(next);
        // In small steps: a writer that waits is woken late.
        let due = limit.saturating_sub(self.granted) >= self.size / 4;
        due.then(|| {
            self.granted = limit;
            self.granted
        })
    }

    /// How far the other end may send.
    pub(crate) fn granted(&self) -> u64 {
        self.granted
    }

    /// Whether an end that was told nothing may soon have to wait for it.
    pub(crate) fn is_news(&self) -> bool {
        self.received >= INITIAL / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credit_is_given_back_when_a_quarter_has_been_read() {
        let mut window = Window::new(100);
        assert!(window.receive(60));
        assert_eq!(window.consume(24, 0), None);
        assert_eq!(window.consume(1, 0), Some(125));
        assert_eq!(window.granted(), 125);
        assert_eq!(window.consume(10, 0), None);
    }

    #[test]
    fn more_of_a_large_message_may_be_under_way_and_no_more_behind_it() {
        let mut window = Window::new(WINDOW);
        let (total, piece) = (10 * WINDOW, WINDOW / 8);
        let (mut missing, mut largest) = (total, 0);
        while missing > 0 {
            assert!(window.receive(piece));
            missing -= piece;
            let before = window.granted();
            window.consume(piece, missing);
            assert!(window.granted() - before <= WINDOW, "no more at once");
            largest = largest.max(window.granted() - window.consumed);
            assert!(window.granted() <= total + WINDOW);
        }
        assert_eq!(largest, LARGE);
        assert!(window.granted() > total);
    }

    #[test]
    fn whoever_sent_far_more_at_once_may_go_on_when_it_has_been_read() {
        let mut window = Window::new(100);
        assert!(window.receive(1000));
        assert_eq!(window.consume(1000, 0), Some(1100));
    }

    #[test]
    fn one_message_may_exceed_the_limit_and_no_more() {
        let mut window = Window::new(100);
        assert!(window.receive(99));
        assert!(window.receive(1000));
        assert!(!window.receive(1));
    }

    #[test]
    fn offsets_do_not_overflow() {
        let mut window = Window::new(100);
        assert!(window.receive(u64::MAX));
        assert_eq!(window.consume(u64::MAX, u64::MAX), Some(u64::MAX));
        assert!(!window.receive(u64::MAX));
    }
}
