//! When something was heard from a peer, and what its silence calls for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::Clock;

/// When something was heard from a peer and said to it, in ticks of its keeper.
#[derive(Debug)]
pub(crate) struct Pulse {
    clock: Arc<Clock>,
    heard: AtomicU32,
    said: AtomicU32,
    asked: AtomicU32,
}

/// What a peer's silence calls for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Question,
    End,
}

impl Pulse {
    pub(crate) fn new(clock: Arc<Clock>) -> Self {
        let since = clock.now();
        Pulse {
            clock,
            heard: since.into(),
            said: since.into(),
            asked: since.into(),
        }
    }

    pub(crate) fn heard(&self) {
        self.heard.store(self.clock.now(), Ordering::Relaxed);
    }

    pub(crate) fn said(&self) {
        self.said.store(self.clock.now(), Ordering::Relaxed);
    }

    /// How long nothing was heard or said.
    pub(crate) fn idle(&self) -> u32 {
        self.since(&self.heard).min(self.since(&self.said))
    }

    /// What is due now. A peer that cannot be heard is not given up for its silence, but the server's word that it
    /// is gone still comes in answer to a question.
    pub(crate) fn due(&self, can_hear: bool) -> Due {
        let silent = self.since(&self.heard);
        if can_hear && silent >= self.clock.give_up_after {
            return Due::End;
        }
        if silent < self.clock.ask_after || self.since(&self.asked) < self.clock.ask_every {
            return Due::Nothing;
        }
        self.asked.store(self.clock.now(), Ordering::Relaxed);
        Due::Question
    }

    fn since(&self, then: &AtomicU32) -> u32 {
        self.clock.now().wrapping_sub(then.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn tick(pulse: &Pulse, ticks: usize) {
        (0..ticks).for_each(|_| pulse.clock.tick());
    }

    fn dues(pulse: &Pulse, ticks: u32, can_hear: bool) -> Vec<(u32, Due)> {
        let tick = |_| {
            pulse.clock.tick();
            (pulse.clock.now(), pulse.due(can_hear))
        };
        (0..ticks)
            .map(tick)
            .filter(|(_, due)| *due != Due::Nothing)
            .collect()
    }

    #[test]
    fn a_silent_peer_is_asked_three_times_and_given_up_within_fifteen_seconds() {
        let pulse = Pulse::new(Clock::new(Duration::from_secs(15)));
        let expected = [
            (5, Due::Question),
            (9, Due::Question),
            (13, Due::Question),
            (14, Due::End),
        ];
        assert_eq!(dues(&pulse, 14, true), expected);
    }

    #[test]
    fn a_shorter_limit_is_kept_as_well() {
        for limit in 3..60 {
            let pulse = Pulse::new(Clock::new(Duration::from_secs(limit)));
            let dues = dues(&pulse, limit as u32 - 1, true);
            let (end, questions) = dues.split_last().unwrap();
            assert_eq!(end.1, Due::End, "{limit}: {dues:?}");
            assert!(
                questions.iter().all(|(_, due)| *due == Due::Question),
                "{limit}: {dues:?}"
            );
            assert!(!questions.is_empty(), "{limit}: {dues:?}");
        }
    }

    #[test]
    fn one_that_answers_is_asked_every_five_seconds() {
        let pulse = Pulse::new(Clock::new(Duration::from_secs(15)));
        for round in 1..10 {
            assert_eq!(dues(&pulse, 5, true), [(round * 5, Due::Question)]);
            pulse.heard();
        }
    }

    #[test]
    fn one_that_cannot_be_heard_is_asked_and_not_given_up() {
        let pulse = Pulse::new(Clock::new(Duration::from_secs(15)));
        let dues = dues(&pulse, 60, false);
        assert!(dues.iter().all(|(_, due)| *due == Due::Question), "{dues:?}");
        assert_eq!(dues.len(), 14);
    }

    #[test]
    fn what_is_heard_or_said_ends_idleness() {
        let pulse = Pulse::new(Clock::new(Duration::from_secs(15)));
        tick(&pulse, 7);
        assert_eq!(pulse.idle(), 7);
        pulse.said();
        assert_eq!(pulse.idle(), 0);
        tick(&pulse, 2);
        pulse.heard();
        assert_eq!(pulse.idle(), 0);
    }
}
