//! Notices that events are missing of what a publisher has sent.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::sequence::{self, Epoch};

/// How many publishers and topics are followed; when there are more, all begin anew.
const MOST: usize = 1024;

/// How long an event may come after those that were numbered later. Only those overtake each other that one publisher
/// publishes from several tasks at the same time.
const OVERTAKEN: Duration = Duration::from_secs(1);

/// How many holes of one publisher are waited for.
const HOLES: usize = 64;

/// What is known of the publishers of one subscription.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    publishers: HashMap<Epoch, Heard>,
    /// How many of the events that are missing were counted as lost otherwise. Whose they were is not known: of those that
    /// do not number their events no hole comes up, and as many are then passed over of others.
    known: u64,
    /// When holes are looked at that no later event of their publisher has closed; not before the first is due.
    due: Option<Instant>,
}

#[derive(Debug)]
struct Heard {
    /// All before this came, or are among the holes.
    next: u64,
    /// Runs of numbers that have not come: the first, and the one behind the last, and when that was noticed.
    holes: BTreeMap<u64, (u64, Instant)>,
}

impl Gaps {
    /// Notes that events were lost of which somebody was told.
    pub(crate) fn know(&mut self, lost: u64) {
        self.known = self.known.saturating_add(lost);
    }

    /// Notes an event by its id; how many are missing, of which nobody was told yet. Among them may be some that were
    /// numbered and not sent: their publish was dropped while it waited, or failed in a way that did not say so.
    pub(crate) fn note(&mut self, id: Option<&str>, now: Instant) -> u64 {
        let id = id.and_then(|id| Uuid::parse_str(id).ok());
        let Some((epoch, number)) = id.and_then(sequence::read) else {
            return 0;
        };
        if self.publishers.len() >= MOST && !self.publishers.contains_key(&epoch) {
            self.publishers.clear();
        }
        let heard = self.publishers.entry(epoch).or_insert_with(|| Heard {
            // What was published before is not for a subscriber that came later.
            next: number,
            holes: BTreeMap::new(),
        });
        let missing = heard.note(number, now);
        if !heard.holes.is_empty() {
            self.due.get_or_insert(now + OVERTAKEN);
        }
        self.tell(missing)
    }

    /// When to [give up](Gaps::give_up) what is missing, if anything is.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// How many have been missing for so long that they will not come, of which nobody was told yet.
    pub(crate) fn give_up(&mut self, now: Instant) -> u64 {
        let missing = self.publishers.values_mut().map(|heard| heard.give_up(now)).sum();
        let holes = self.publishers.values().flat_map(|heard| heard.holes.values());
        self.due = holes.map(|(_, since)| *since + OVERTAKEN).min();
        self.tell(missing)
    }

    fn tell(&mut self, missing: u64) -> u64 {
        let told = missing.min(self.known);
        self.known -= told;
        missing - told
    }
}

impl Heard {
    fn note(&mut self, number: u64, now: Instant) -> u64 {
        if number < self.next {
            self.fill(number);
        } else {
            if number > self.next {
                self.holes.insert(self.next, (number, now));
            }
            self.next = number + 1;
        }
        self.give_up(now)
    }

    fn fill(&mut self, number: u64) {
        let Some((&first, &(end, since))) = self.holes.range(..=number).next_back() else {
            return;
        };
        if number >= end {
            return;
        }
        self.holes.remove(&first);
        for (first, end) in [(first, number), (number + 1, end)] {
            if first < end {
                self.holes.insert(first, (end, since));
            }
        }
    }

    /// How many are not waited for any more.
    fn give_up(&mut self, now: Instant) -> u64 {
        let mut missing = 0;
        while let Some(hole) = self.holes.first_entry() {
            let (first, &(end, since)) = (*hole.key(), hole.get());
            if now.saturating_duration_since(since) < OVERTAKEN && self.holes.len() <= HOLES {
                break;
            }
            missing += end - first;
            self.holes.pop_first();
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::super::sequence::Sequences;
    use super::*;

    /// Notes these of the first hundred events, and then one long after.
    fn missed(gaps: &mut Gaps, numbers: impl IntoIterator<Item = usize>) -> u64 {
        let (sequences, now) = (Sequences::default(), Instant::now());
        let ids: Vec<_> = (0..101).map(|_| sequences.next("a").to_string()).collect();
        let mut note = |number: usize, now| gaps.note(Some(&ids[number]), now);
        let soon: u64 = numbers.into_iter().map(|number| note(number, now)).sum();
        soon + note(100, now + OVERTAKEN) + note(100, now + 2 * OVERTAKEN)
    }

    #[test]
    fn what_does_not_come_is_missing() {
        assert_eq!(missed(&mut Gaps::default(), 0..100), 0);
        assert_eq!(missed(&mut Gaps::default(), (0..50).chain(60..100)), 10);
        assert_eq!(missed(&mut Gaps::default(), (0..100).step_by(2)), 50);
    }

    #[test]
    fn a_hole_is_given_up_without_another_event() {
        let (sequences, now, mut gaps) = (Sequences::default(), Instant::now(), Gaps::default());
        let ids: Vec<_> = (0..5).map(|_| sequences.next("a").to_string()).collect();
        assert_eq!((gaps.note(Some(&ids[0]), now), gaps.due()), (0, None));
        assert_eq!(gaps.note(Some(&ids[2]), now), 0);
        let later = now + OVERTAKEN / 2;
        assert_eq!(gaps.note(Some(&ids[4]), later), 0);
        assert_eq!(gaps.due(), Some(now + OVERTAKEN));
        assert_eq!(gaps.give_up(now + OVERTAKEN), 1);
        assert_eq!(gaps.due(), Some(later + OVERTAKEN));
        assert_eq!(gaps.note(Some(&ids[3]), later), 0);
        assert_eq!((gaps.give_up(later + OVERTAKEN), gaps.due()), (0, None));
    }

    #[test]
    fn the_oldest_of_too_many_holes_is_given_up() {
        let (sequences, now, mut gaps) = (Sequences::default(), Instant::now(), Gaps::default());
        let ids: Vec<_> = (0..200).map(|_| sequences.next("a").to_string()).collect();
        let mut note = |number: usize| gaps.note(Some(&ids[number]), now);
        assert_eq!((0..=HOLES).map(|hole| note(2 * hole)).sum::<u64>(), 0);
        assert_eq!(note(2 * (HOLES + 1)), 1);
        // It comes too late, and the others do not.
        assert_eq!((note(1), note(3)), (0, 0));
        assert_eq!(note(2 * (HOLES + 2)), 0);
    }

    #[test]
    fn what_is_overtaken_is_not_missing() {
        assert_eq!(missed(&mut Gaps::default(), (0..1).chain((1..100).rev())), 0);
        assert_eq!(missed(&mut Gaps::default(), [0, 5, 3, 1, 4, 3, 99]), 94);
    }

    #[test]
    fn what_was_before_the_first_is_not_missing() {
        assert_eq!(missed(&mut Gaps::default(), 70..100), 0);
        assert_eq!(
            missed(&mut Gaps::default(), [50, 49].into_iter().chain(51..100)),
            0
        );
    }

    #[test]
    fn what_was_told_is_not_told_again() {
        let mut gaps = Gaps::default();
        gaps.know(4);
        assert_eq!(missed(&mut gaps, (0..50).chain(60..100)), 6);
        assert_eq!(missed(&mut gaps, (0..50).chain(60..100)), 10);
    }

    #[test]
    fn other_ids_say_nothing() {
        let mut gaps = Gaps::default();
        for id in [None, Some("no id"), Some("f47ac10b-58cc-4372-a567-0e02b2c3d479")] {
            assert_eq!(gaps.note(id, Instant::now()), 0);
        }
        assert!(gaps.publishers.is_empty());
    }

    #[test]
    fn publishers_without_end_take_no_memory() {
        let mut gaps = Gaps::default();
        for _ in 0..3 * MOST {
            let id = Sequences::default().next("a").to_string();
            assert_eq!(gaps.note(Some(&id), Instant::now()), 0);
        }
        assert!(gaps.publishers.len() <= MOST);
    }
}
