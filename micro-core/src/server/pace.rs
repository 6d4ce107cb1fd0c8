//! Which handlers begin within the task of their socket.

use std::time::Duration;

use tokio::time::Instant;

/// How long a handler may take until it first waits.
const SHORT: Duration = Duration::from_micros(100);

/// How many calls get a task from their start after two that took longer.
const SPELL: u32 = 256;

/// How many others may come between the two. One alone may have been interrupted by the system.
const APART: u32 = 64;

/// Most handlers are done at once, or wait soon: a task for each would cost more than they do. But while one computes,
/// its socket is not read; so where some take long, those after them get tasks, which run side by side.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// How many more calls the last long one is remembered for.
    warned: u32,
    /// How many of the next calls get a task from their start.
    apart: u32,
    before: Option<Instant>,
}

impl Pace {
    /// When the next handler begins, if it is to begin now: with a reading of the clock that serves as the end of the last
    /// one, too, where it follows at once.
    pub(super) fn now(&mut self) -> Instant {
        *self.before.get_or_insert_with(Instant::now)
    }

    /// Notes that the next handler does not begin right after the last.
    pub(super) fn pause(&mut self) {
        self.before = None;
    }

    /// Whether the next handler begins here.
    pub(super) fn begin(&mut self) -> bool {
        if self.apart > 0 {
            self.apart -= 1;
            self.before = None;
            return false;
        }
        self.now();
        true
    }

    /// Notes that the handler that began here waits, or is done.
    pub(super) fn end(&mut self) {
        let now = Instant::now();
        let before = self.before.replace(now);
        let long = before.is_some_and(|before| now.duration_since(before) > SHORT);
        match (long, self.warned) {
            (false, _) => self.warned = self.warned.saturating_sub(1),
            (true, 0) => self.warned = APART,
            (true, _) => (self.apart, self.warned, self.before) = (SPELL, 0, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(pace: &mut Pace) {
        assert!(pace.begin());
        std::thread::sleep(SHORT * 2);
        pace.end();
    }

    #[test]
    fn after_two_handlers_that_take_long_others_run_apart_for_a_while() {
        let mut pace = Pace::default();
        long(&mut pace);
        long(&mut pace);
        for _ in 0..SPELL {
            assert!(!pace.begin());
        }
        assert!(pace.begin());
    }

    #[test]
    fn one_long_handler_may_be_an_accident() {
        let mut pace = Pace::default();
        long(&mut pace);
        pace.warned = 0;
        long(&mut pace);
        assert!(pace.begin());
    }

    #[test]
    fn a_pause_is_not_taken_for_work() {
        let mut pace = Pace::default();
        assert!(pace.begin());
        pace.pause();
        std::thread::sleep(SHORT * 2);
        pace.end();
        assert_eq!(pace.warned, 0);
    }
}
