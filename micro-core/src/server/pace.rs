//! Which handlers begin within the task of their socket.

use std::time::{Duration, Instant};

/// How long a handler may take until it first waits, for the next to begin the same way.
const SHORT: Duration = Duration::from_micros(100);

/// How many calls get a task from their start after one that took longer.
const SPELL: u32 = 256;

/// Most handlers are done at once, or wait soon: a task for each would cost more than they do. But while one computes,
/// its socket is not read; so where one took long, those after it get tasks, which run side by side.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// How many of the next calls get a task from their start.
    apart: u32,
    before: Option<Instant>,
}

impl Pace {
    /// Notes that the next handler does not begin right after the last.
    pub(super) fn pause(&mut self) {
        self.before = None;
    }

    /// Whether the next handler begins here.
    pub(super) fn begin(&mut self) -> bool {
        if self.apart > 0 {
            self.apart -= 1;
            return false;
        }
        // One reading serves as the end of a handler and the start of the next.
        self.before.get_or_insert_with(Instant::now);
        true
    }

    /// Notes that the handler that began here waits, or is done.
    pub(super) fn end(&mut self) {
        let now = Instant::now();
        if let Some(before) = self.before.replace(now)
            && now.duration_since(before) > SHORT
        {
            self.apart = SPELL;
            self.before = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_handler_that_takes_long_others_run_apart_for_a_while() {
        let mut pace = Pace::default();
        assert!(pace.begin());
        std::thread::sleep(SHORT * 2);
        pace.end();
        for _ in 0..SPELL {
            assert!(!pace.begin());
        }
        assert!(pace.begin());
    }

    #[test]
    fn a_pause_is_not_taken_for_work() {
        let mut pace = Pace::default();
        assert!(pace.begin());
        pace.pause();
        std::thread::sleep(SHORT * 2);
        pace.end();
        assert!(pace.begin());
    }
}
