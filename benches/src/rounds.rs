//! The harness: each side finds its best set-up, then both play in turn.
//!
//! Other work on the machine disturbs both sides alike only when they are measured close to each other. So rounds are
//! short and many, they alternate, and who begins alternates too.

use std::time::Duration;

use anyhow::Result;

use crate::cpu::Used;
use crate::load::{Sample, Setup};

/// How many short rounds each set-up gets to show which is best.
const TRIALS: usize = 3;

/// How long to measure.
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    pub(crate) window: Duration,
    /// The process of the nats-server, whose processor time counts for both sides.
    pub(crate) server: u32,
}

/// Both sides of a case, each in all set-ups that may be its best.
pub(crate) struct Contest {
    pub(crate) ours: Vec<Setup>,
    pub(crate) peer: Vec<Setup>,
}

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
    /// How long the middle call took, in microseconds.
    pub(crate) p50: f64,
    /// Processor time for one call, of this process and the server, in microseconds.
    pub(crate) cpu: f64,
}

/// Plays all rounds of a case.
pub(crate) async fn play(contest: Contest, plan: &Plan) -> Result<Outcome> {
    let (ours, our_trials) = best("ours", contest.ours, plan).await?;
    let (peer, peer_trials) = best("peer", contest.peer, plan).await?;
    let mut outcome = Outcome {
        ours: Played::new(&ours, our_trials),
        peer: Played::new(&peer, peer_trials),
        elsewhere: 0.0,
        window: plan.window,
    };
    let start = Used::now(plan.server);
    for number in 1..=plan.rounds {
        if number % 2 == 1 {
            outcome.ours.play(&ours, plan).await?;
            outcome.peer.play(&peer, plan).await?;
        } else {
            outcome.peer.play(&peer, plan).await?;
            outcome.ours.play(&ours, plan).await?;
        }
        show(number, plan.rounds, &outcome);
    }
    let used = Used::now(plan.server).since(start);
    if used.everywhere > 0.0 {
        outcome.elsewhere = (1.0 - used.here / used.everywhere).clamp(0.0, 1.0);
    }
    Ok(outcome)
}

/// The set-up that does most, and what all of them did. Also warms them up.
async fn best(who: &str, mut setups: Vec<Setup>, plan: &Plan) -> Result<(Setup, Vec<(String, f64)>)> {
    let mut rates = vec![Vec::new(); setups.len()];
    for setup in &setups {
        setup.side.round(plan.window / 4).await?;
    }
    for _ in 0..if setups.len() > 1 { TRIALS } else { 0 } {
        for (setup, rates) in setups.iter().zip(&mut rates) {
            rates.push(setup.side.round(plan.window / 2).await?.rate());
        }
    }
    let rates: Vec<f64> = rates.into_iter().map(median).collect();
    let best = (0..setups.len()).max_by(|&a, &b| rates[a].total_cmp(&rates[b]));
    let best = best.ok_or_else(|| anyhow::anyhow!("{who} has no set-up"))?;
    let names = setups.iter().map(|setup| setup.name.clone());
    let trials: Vec<_> = names.zip(rates).collect();
    let best = setups.swap_remove(best);
    if setups.is_empty() {
        return Ok((best, Vec::new()));
    }
    eprintln!("  {who}: best with {} of {}", best.name, trials_text(&trials));
    Ok((best, trials))
}

/// Each set-up with its rate.
pub(crate) fn trials_text(trials: &[(String, f64)]) -> String {
    let texts: Vec<_> = trials
        .iter()
        .map(|(name, rate)| format!("{name} {rate:.0}/s"))
        .collect();
    texts.join(", ")
}

fn show(number: usize, rounds: usize, outcome: &Outcome) {
    if let (Some(ours), Some(peer)) = (outcome.ours.rounds.last(), outcome.peer.rounds.last()) {
        let ratio = ours.rate / peer.rate;
        eprintln!(
            "  round {number}/{rounds}: ours {:.0}/s, peer {:.0}/s, ratio {ratio:.2}",
            ours.rate, peer.rate
        );
    }
}

impl Played {
    fn new(setup: &Setup, trials: Vec<(String, f64)>) -> Self {
        Played {
            setup: setup.name.clone(),
            trials,
            rounds: Vec::new(),
        }
    }

    async fn play(&mut self, setup: &Setup, plan: &Plan) -> Result<()> {
        let before = Used::now(plan.server);
        let sample = setup.side.round(plan.window).await?;
        let used = Used::now(plan.server).since(before);
        self.rounds.push(Round::new(sample, used));
        Ok(())
    }

    /// The median of something over all rounds.
    pub(crate) fn median(&self, of: impl Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().map(of).collect())
    }
}

impl Round {
    fn new(sample: Sample, used: Used) -> Self {
        Round {
            rate: sample.rate(),
            p50: sample.p50.as_secs_f64() * 1e6,
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

#[cfg(test)]
mod tests {
    use futures::future::{BoxFuture, FutureExt};

    use super::*;
    use crate::load::Side;

    struct Fixed(usize);

    impl Side for Fixed {
        fn round(&self, _: Duration) -> BoxFuture<'_, Result<Sample>> {
            let sample = Sample::new(vec![1000; self.0], Duration::from_secs(1));
            std::future::ready(sample).boxed()
        }
    }

    fn setup(name: &str, rate: usize) -> Setup {
        Setup::new(name, Fixed(rate), ())
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median(Vec::new()), 0.0);
    }

    #[tokio::test]
    async fn each_side_plays_every_round_in_its_best_setup() {
        let contest = Contest {
            ours: vec![setup("slow", 10), setup("fast", 30)],
            peer: vec![setup("only", 20)],
        };
        let plan = Plan {
            rounds: 4,
            window: Duration::from_millis(1),
            server: 0,
        };
        let outcome = play(contest, &plan).await.unwrap();
        assert_eq!(outcome.ours.setup, "fast");
        assert_eq!(outcome.ours.trials.len(), 2);
        assert!(outcome.peer.trials.is_empty());
        assert_eq!(outcome.ratios(), [1.5; 4]);
        assert_eq!(outcome.ours.median(|round| round.p50), 1.0);
    }
}
