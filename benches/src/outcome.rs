//! What rounds gave, and the middle of it.

use std::time::Duration;

use crate::cpu::Used;
use crate::load::{Sample, Setup};

/// What a case gave.
pub(crate) struct Outcome {
    pub(crate) ours: Played,
    pub(crate) peer: Played,
    /// The share of the machine's busy time that neither side nor the server used, from 0 to 1.
    pub(crate) elsewhere: f64,
    pub(crate) window: Duration,
}

/// What one side gave.
pub(crate) struct Played {
    /// The set-up that served it best.
    pub(crate) setup: String,
    /// Calls a second of each set-up in its trial; empty when there was no choice.
    pub(crate) trials: Vec<(String, f64)>,
    pub(crate) rounds: Vec<Round>,
}

/// What one round of one side gave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    /// Calls a second.
    pub(crate) rate: f64,
    /// How long the middle call took, in microseconds, where one can be told from others.
    pub(crate) p50: Option<f64>,
    /// Processor time for one call, of this process and the server, in microseconds.
    pub(crate) cpu: f64,
}

impl Played {
    pub(crate) fn new(setup: &Setup, trials: Vec<(String, f64)>) -> Self {
        Played {
            setup: setup.name.clone(),
            trials,
            rounds: Vec::new(),
        }
    }

    /// The median of something over all rounds.
    pub(crate) fn median(&self, of: impl Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().map(of).collect())
    }
}

impl Round {
    pub(crate) fn new(sample: Sample, used: Used) -> Self {
        Round {
            rate: sample.rate(),
            p50: sample.p50.map(|p50| p50.as_secs_f64() * 1e6),
            cpu: used.here / sample.count as f64 * 1e6,
        }
    }
}

impl Outcome {
    /// Ours to the peer's, round by round, sorted.
    pub(crate) fn ratios(&self) -> Vec<f64> {
        let pairs = self.ours.rounds.iter().zip(&self.peer.rounds);
        let mut ratios: Vec<f64> = pairs.map(|(ours, peer)| ours.rate / peer.rate).collect();
        ratios.sort_by(f64::total_cmp);
        ratios
    }
}

/// The middle value; of an even number, the middle of the two in the middle. 0 of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match (values.len(), values.len() / 2) {
        (0, _) => 0.0,
        (count, middle) if count % 2 == 1 => values[middle],
        (_, middle) => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// Each set-up with its rate.
pub(crate) fn trials_text(trials: &[(String, f64)]) -> String {
    let texts: Vec<_> = trials
        .iter()
        .map(|(name, rate)| format!("{name} {rate:.0}/s"))
        .collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median(Vec::new()), 0.0);
    }
}
