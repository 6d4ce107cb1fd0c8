//! One case in the report.

use serde::Serialize;

use crate::cases::Case;
use crate::outcome::{Outcome, Played, median, trials_text};

/// What came of one case.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) case: &'static str,
    pub(crate) callers: usize,
    pub(crate) peer_name: &'static str,
    pub(crate) unit: &'static str,
    /// What the ratio should be at least.
    pub(crate) to_reach: Option<f64>,
    /// Whether the middle call must not take longer than the peer's, either.
    pub(crate) p50_no_worse: bool,
    #[serde(flatten)]
    pub(crate) measured: Option<Measured>,
    /// Why there are no figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) not_run: Option<String>,
}

/// The figures. Rates are medians of all rounds; `ratio` is `ours` to `peer`, better when larger.
#[derive(Serialize)]
pub(crate) struct Measured {
    pub(crate) ours: f64,
    pub(crate) peer: f64,
    pub(crate) ratio: f64,
    /// The smallest, the median and the largest of the ratios of single rounds.
    pub(crate) round_ratios: [f64; 3],
    /// How long the middle call took.
    pub(crate) ours_p50_us: Option<f64>,
    pub(crate) peer_p50_us: Option<f64>,
    /// Processor time for one call, of this process and the nats-server: what the noise of a machine disturbs least.
    /// Zero where it cannot be read.
    pub(crate) ours_cpu_us: f64,
    pub(crate) peer_cpu_us: f64,
    /// The peer's processor time for one call to ours: better when larger.
    pub(crate) cpu_ratio: f64,
    pub(crate) ours_setup: String,
    pub(crate) peer_setup: String,
    /// `[ours, peer]` of each round.
    pub(crate) rounds: Vec<[f64; 2]>,
    pub(crate) seconds_per_round: f64,
    /// The share of the machine's busy time that was used by others, from 0 to 1.
    pub(crate) busy_elsewhere: f64,
}

impl Row {
    pub(crate) fn new(case: &Case, outcome: &Outcome) -> Self {
        Row {
            measured: Some(Measured::new(outcome)),
            ..Row::empty(case)
        }
    }

    /// A case without figures.
    pub(crate) fn not_run(case: &Case, reason: String) -> Self {
        Row {
            not_run: Some(reason),
            ..Row::empty(case)
        }
    }

    fn empty(case: &Case) -> Self {
        Row {
            id: case.id.clone(),
            case: case.title,
            callers: case.callers,
            peer_name: case.peer_name,
            unit: case.unit,
            to_reach: case.to_reach,
            p50_no_worse: case.p50_no_worse,
            measured: None,
            not_run: None,
        }
    }

    /// The file of its plot.
    pub(crate) fn plot(&self) -> String {
        format!("rounds-{}.svg", self.id)
    }

    /// What the case was to reach and did not, in words.
    pub(crate) fn shortfalls(&self) -> Vec<&'static str> {
        let Some(measured) = &self.measured else {
            return Vec::new();
        };
        let slower = self.to_reach.is_some_and(|least| measured.ratio < least);
        let later = self.p50_no_worse && measured.ours_p50_us > measured.peer_p50_us;
        [(slower, "SHORT"), (later, "P50 WORSE")]
            .into_iter()
            .filter_map(|(is_so, word)| is_so.then_some(word))
            .collect()
    }
}

impl Measured {
    fn new(outcome: &Outcome) -> Self {
        let (ours, peer) = (&outcome.ours, &outcome.peer);
        let (our_rate, peer_rate) = (ours.median(|round| round.rate), peer.median(|round| round.rate));
        let (our_cpu, peer_cpu) = (ours.median(|round| round.cpu), peer.median(|round| round.cpu));
        let ratios = outcome.ratios();
        let pairs = ours.rounds.iter().zip(&peer.rounds);
        Measured {
            ours: rounded(our_rate, 0),
            peer: rounded(peer_rate, 0),
            ratio: rounded(our_rate / peer_rate, 3),
            round_ratios: [0, ratios.len() / 2, ratios.len() - 1].map(|at| rounded(ratios[at], 3)),
            ours_p50_us: p50(ours),
            peer_p50_us: p50(peer),
            ours_cpu_us: rounded(our_cpu, 2),
            peer_cpu_us: rounded(peer_cpu, 2),
            cpu_ratio: if our_cpu > 0.0 {
                rounded(peer_cpu / our_cpu, 3)
            } else {
                0.0
            },
            ours_setup: setup_text(ours),
            peer_setup: setup_text(peer),
            rounds: pairs
                .map(|(ours, peer)| [ours, peer].map(|round| rounded(round.rate, 0)))
                .collect(),
            seconds_per_round: outcome.window.as_secs_f64(),
            busy_elsewhere: rounded(outcome.elsewhere, 2),
        }
    }
}

impl Measured {
    /// The smallest of a single round, that of the medians, and the largest.
    pub(super) fn ratios(&self) -> [f64; 3] {
        let [low, _, high] = self.round_ratios;
        [low, self.ratio, high]
    }
}

/// Where the middle call can be told from others.
fn p50(played: &Played) -> Option<f64> {
    let all: Option<Vec<f64>> = played.rounds.iter().map(|round| round.p50).collect();
    all.map(|all| rounded(median(all), 1))
}

fn setup_text(played: &Played) -> String {
    match played.trials.len() {
        0 => played.setup.clone(),
        _ => format!("{} (tried: {})", played.setup, trials_text(&played.trials)),
    }
}

fn rounded(value: f64, digits: i32) -> f64 {
    let unit = 10_f64.powi(digits);
    (value * unit).round() / unit
}
