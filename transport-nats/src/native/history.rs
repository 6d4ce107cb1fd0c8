//! How many messages ended in each of the last packets sent.
//!
//! The server answers each packet that it can hand to nobody with one word of that, and those are the last ones sent
//! (see [`undelivered`](crate::undelivered)). What they carried is what reached nobody.

use std::collections::VecDeque;

/// How many runs are remembered. What is older counts for nothing, and is claimed of nobody.
const MAX_RUNS: usize = 512;

/// The last packets, as runs of packets with the same number of messages: it is mostly one, so runs are few.
#[derive(Debug, Default)]
pub(crate) struct History {
    runs: VecDeque<Run>,
    /// The number of the packet after the last.
    next: u64,
}

#[derive(Debug)]
struct Run {
    packets: u16,
    messages: u16,
}

impl History {
    /// One more packet was sent.
    pub(crate) fn push(&mut self, messages: u32) {
        self.next += 1;
        // Too few rather than too many: no packet has so many.
        let messages = u16::try_from(messages).unwrap_or(0);
        match self.runs.back_mut() {
            Some(run) if run.messages == messages && run.packets < u16::MAX => run.packets += 1,
            _ => {
                if self.runs.len() == MAX_RUNS {
                    self.runs.pop_front();
                }
                self.runs.push_back(Run { packets: 1, messages });
            }
        }
    }

    /// Forgets the last packet: how many messages it had.
    pub(crate) fn pop(&mut self) -> u32 {
        let Some(run) = self.runs.back_mut() else { return 0 };
        let messages = run.messages;
        run.packets -= 1;
        if run.packets == 0 {
            self.runs.pop_back();
        }
        messages.into()
    }

    /// The first so many packets have come, and need not be remembered.
    pub(crate) fn forget_before(&mut self, packets: u64) {
        let mut kept = self.next.saturating_sub(packets);
        let newest = self.runs.iter().rev().take_while(|run| {
            let wanted = kept > 0;
            kept = kept.saturating_sub(run.packets.into());
            wanted
        });
        let newest = newest.count();
        self.runs.drain(..self.runs.len() - newest);
        if self.runs.is_empty() {
            self.runs = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(packets: &[u32]) -> History {
        let mut history = History::default();
        packets.iter().for_each(|messages| history.push(*messages));
        history
    }

    #[test]
    fn the_last_packets_are_remembered_in_order() {
        let mut history = history(&[1, 1, 3, 0, 0, 2]);
        assert_eq!(
            std::iter::repeat_with(|| history.pop())
                .take(8)
                .collect::<Vec<_>>(),
            [2, 0, 0, 3, 1, 1, 0, 0]
        );
    }

    #[test]
    fn what_has_come_is_forgotten() {
        let mut history = history(&[1, 1, 3, 0]);
        history.forget_before(3);
        assert_eq!(history.runs.len(), 1);
        history.forget_before(9);
        assert_eq!(
            (history.runs.len(), history.runs.capacity(), history.pop()),
            (0, 0, 0)
        );
    }

    #[test]
    fn it_is_bounded_and_claims_too_little_rather_than_too_much() {
        let packets: Vec<_> = (0..2000).map(|index| index % 2 + 1).collect();
        let mut history = history(&packets);
        assert_eq!(history.runs.len(), MAX_RUNS);
        let claimed: u32 = std::iter::repeat_with(|| history.pop()).take(2000).sum();
        assert_eq!(claimed, 768);
    }
}
