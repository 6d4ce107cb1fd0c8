//! What goes wrong on the way, and the dice that decide when.

use std::ops::RangeInclusive;
use std::time::Duration;

/// What goes wrong with messages on the way. Default: nothing.
///
/// A probability is from 0 to 1; what is outside counts as the nearer of the two. What a fault means depends on the
/// contract:
///
/// | | a socket | an event | the registry |
/// |---|---|---|---|
/// | loss | ends the socket: `recv` fails with `Unavailable` at both ends, after what came before | a subscriber misses it, without a word | a request fails with `Unavailable`; a watcher is told that changes may be missing |
/// | duplicates | – | comes twice | a change is seen twice |
/// | reordering | – | comes after the one behind it | – |
/// | delay | comes later, and those behind it not before | the same | the answer, or the change, comes later |
///
/// Sockets promise order, and each message once, so a transport sorts out duplicates and reordering by itself, and an
/// honest loss is an error. Brokers deliver at most once, so a loss is silent, as it is in the field.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Faults {
    /// How likely a message is lost.
    pub loss: f64,
    /// How likely it comes twice.
    pub duplicates: f64,
    /// How likely it comes after the one behind it; when none does, it comes 100 ms late.
    pub reordering: f64,
    /// How long it is on its way: between these two, each as likely.
    pub delay: RangeInclusive<Duration>,
}

impl Default for Faults {
    fn default() -> Self {
        Faults {
            loss: 0.0,
            duplicates: 0.0,
            reordering: 0.0,
            delay: Duration::ZERO..=Duration::ZERO,
        }
    }
}

impl Faults {
    /// Loses messages with this probability.
    #[must_use]
    pub fn with_loss(mut self, probability: f64) -> Self {
        self.loss = probability;
        self
    }

    /// Delivers messages twice with this probability.
    #[must_use]
    pub fn with_duplicates(mut self, probability: f64) -> Self {
        self.duplicates = probability;
        self
    }

    /// Lets messages overtake one another with this probability.
    #[must_use]
    pub fn with_reordering(mut self, probability: f64) -> Self {
        self.reordering = probability;
        self
    }

    /// Delays every message by a time between these two.
    #[must_use]
    pub fn with_delay(mut self, delay: RangeInclusive<Duration>) -> Self {
        self.delay = delay;
        self
    }
}

/// What becomes of one message.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fate {
    pub(super) lost: bool,
    pub(super) twice: bool,
    pub(super) set_behind: bool,
    pub(super) delay: Duration,
}

/// Decides what becomes of the messages of one stream, in their order.
#[derive(Debug)]
pub(super) struct Dice(fastrand::Rng);

impl Dice {
    /// Each stream of messages has dice of its own, so that what happens in one does not change another.
    pub(super) fn new(seed: u64, stream: &str) -> Self {
        Dice(fastrand::Rng::with_seed(seed ^ fingerprint(stream)))
    }

    /// Rolls as often for every message, so that another fault added leaves the others where they are.
    pub(super) fn roll(&mut self, faults: &Faults) -> Fate {
        let rolls = [(); 4].map(|()| self.0.f64());
        let (shortest, longest) = (*faults.delay.start(), *faults.delay.end());
        Fate {
            lost: rolls[0] < faults.loss,
            twice: rolls[1] < faults.duplicates,
            set_behind: rolls[2] < faults.reordering,
            delay: shortest + longest.saturating_sub(shortest).mul_f64(rolls[3]),
        }
    }
}

/// FNV-1a: the same in every process and on every machine, as the hasher of the standard library is not.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(dice: &mut Dice, faults: &Faults) -> Vec<Fate> {
        (0..1000).map(|_| dice.roll(faults)).collect()
    }

    #[test]
    fn the_same_seed_rolls_the_same_and_another_does_not() {
        let faults = Faults::default().with_loss(0.5);
        let rolled = |seed, stream| fates(&mut Dice::new(seed, stream), &faults);
        assert_eq!(rolled(7, "a"), rolled(7, "a"));
        assert_ne!(rolled(7, "a"), rolled(8, "a"));
        assert_ne!(rolled(7, "a"), rolled(7, "b"));
    }

    #[test]
    fn another_fault_leaves_the_losses_where_they_are() {
        let few = Faults::default().with_loss(0.1);
        let many = few
            .clone()
            .with_duplicates(0.5)
            .with_delay(Duration::ZERO..=Duration::from_secs(1));
        let lost = |faults: &Faults| {
            let fates = fates(&mut Dice::new(7, "a"), faults);
            fates.iter().map(|fate| fate.lost).collect::<Vec<_>>()
        };
        assert_eq!(lost(&few), lost(&many));
        let count = lost(&few).iter().filter(|lost| **lost).count();
        assert!((50..150).contains(&count), "{count} of 1000 at 0.1");
    }

    #[test]
    fn the_extremes_are_never_and_always() {
        let all = Faults::default()
            .with_loss(1.0)
            .with_duplicates(2.0)
            .with_reordering(f64::NAN);
        for fate in fates(&mut Dice::new(1, "a"), &all) {
            assert!(fate.lost && fate.twice && !fate.set_behind && fate.delay.is_zero());
        }
        for fate in fates(&mut Dice::new(1, "a"), &Faults::default()) {
            assert_eq!(fate, Fate::default());
        }
    }
}
