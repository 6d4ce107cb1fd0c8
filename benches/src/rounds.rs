//! The harness: each side finds its best set-up, then both play in turn.
//!
//! Other work on the machine disturbs both sides alike only when they are measured close to each other. So rounds are
//! short and many, they alternate, and who begins alternates too.

use std::time::Duration;

use anyhow::Result;

use crate::cpu::Used;
use crate::load::Setup;
use crate::outcome::{Outcome, Played, Round, median, trials_text};

/// How many short rounds each set-up gets to show which is best.
const TRIALS: usize = 5;

/// How long to measure.
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    pub(crate) window: Duration,
    /// The process of the nats-server, whose processor time counts for both sides.
    pub(crate) server: u32,
}

impl Plan {
    /// The processor time that these set-ups, the nats-server and we have used.
    fn used(&self, setups: &[&Setup]) -> Used {
        let processes = setups.iter().filter_map(|setup| setup.process);
        Used::now(processes.chain([self.server]))
    }
}

/// Both sides of a case, each in all set-ups that may be its best.
pub(crate) struct Contest {
    pub(crate) ours: Vec<Setup>,
    pub(crate) peer: Vec<Setup>,
}

impl Contest {
    /// Adds set-ups to choose from.
    pub(crate) fn add(&mut self, more: Contest) {
        self.ours.extend(more.ours);
        self.peer.extend(more.peer);
    }
}

/// One side of a case.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Who {
    /// Micro.
    Ours,
    /// What it is compared with.
    Peer,
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
    let start = plan.used(&[&ours, &peer]);
    for number in 1..=plan.rounds {
        if number % 2 == 1 {
            round(&mut outcome.ours, &ours, plan).await?;
            round(&mut outcome.peer, &peer, plan).await?;
        } else {
            round(&mut outcome.peer, &peer, plan).await?;
            round(&mut outcome.ours, &ours, plan).await?;
        }
        show(number, plan.rounds, &outcome);
    }
    let used = plan.used(&[&ours, &peer]).since(start);
    if used.everywhere > 0.0 {
        outcome.elsewhere = (1.0 - used.here / used.everywhere).clamp(0.0, 1.0);
    }
    Ok(outcome)
}

/// Plays all rounds of one side; the other is given up before.
pub(crate) async fn play_alone(contest: Contest, who: Who, plan: &Plan) -> Result<Played> {
    let setups = match who {
        Who::Ours => contest.ours,
        Who::Peer => contest.peer,
    };
    let (setup, trials) = best("alone", setups, plan).await?;
    let mut played = Played::new(&setup, trials);
    for _ in 0..plan.rounds {
        round(&mut played, &setup, plan).await?;
    }
    Ok(played)
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

fn show(number: usize, rounds: usize, outcome: &Outcome) {
    if let (Some(ours), Some(peer)) = (outcome.ours.rounds.last(), outcome.peer.rounds.last()) {
        let ratio = ours.rate / peer.rate;
        eprintln!(
            "  round {number}/{rounds}: ours {:.0}/s, peer {:.0}/s, ratio {ratio:.2}",
            ours.rate, peer.rate
        );
    }
}

async fn round(played: &mut Played, setup: &Setup, plan: &Plan) -> Result<()> {
    let before = plan.used(&[setup]);
    let sample = setup.side.round(plan.window).await?;
    let used = plan.used(&[setup]).since(before);
    played.rounds.push(Round::new(sample, used));
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures::future::{BoxFuture, FutureExt};

    use super::*;
    use crate::load::{Sample, Side};

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
        assert!(outcome.ours.rounds.iter().all(|round| round.p50 == Some(1.0)));
    }
}
