//! The table for people, and `report.json` for programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::{env, thread};

use anyhow::Result;
use serde::Serialize;

use crate::cases::Case;
use crate::outcome::{Outcome, Played, trials_text};
use crate::rounds::Plan;

mod table;

/// One case, measured. Rates are medians of all rounds; `ratio` is `ours` to `peer`, better when larger.
#[derive(Serialize)]
pub(crate) struct Row {
    id: String,
    case: String,
    callers: usize,
    ours: f64,
    peer: f64,
    peer_name: String,
    unit: String,
    ratio: f64,
    /// The smallest, the median and the largest of the ratios of single rounds.
    round_ratios: [f64; 3],
    /// What the ratio should be at least.
    to_reach: Option<f64>,
    /// How long the middle call took.
    ours_p50_us: f64,
    peer_p50_us: f64,
    /// Processor time for one call, of this process and the nats-server: what the noise of a machine disturbs least.
    /// Zero where it cannot be read.
    ours_cpu_us: f64,
    peer_cpu_us: f64,
    /// The peer's processor time for one call to ours: better when larger.
    cpu_ratio: f64,
    ours_setup: String,
    peer_setup: String,
    /// `[ours, peer]` of each round.
    rounds: Vec<[f64; 2]>,
    seconds_per_round: f64,
    /// The share of the machine's busy time that was used by others, from 0 to 1.
    busy_elsewhere: f64,
}

impl Row {
    pub(crate) fn new(case: &Case, outcome: &Outcome) -> Self {
        let (ours, peer) = (&outcome.ours, &outcome.peer);
        let (our_rate, peer_rate) = (ours.median(|round| round.rate), peer.median(|round| round.rate));
        let (our_cpu, peer_cpu) = (ours.median(|round| round.cpu), peer.median(|round| round.cpu));
        let ratios = outcome.ratios();
        let pairs = ours.rounds.iter().zip(&peer.rounds);
        Row {
            id: case.id.clone(),
            case: case.title.to_owned(),
            callers: case.callers,
            ours: rounded(our_rate, 0),
            peer: rounded(peer_rate, 0),
            peer_name: case.peer_name.to_owned(),
            unit: case.unit.to_owned(),
            ratio: rounded(our_rate / peer_rate, 3),
            round_ratios: [0, ratios.len() / 2, ratios.len() - 1].map(|at| rounded(ratios[at], 3)),
            to_reach: case.to_reach,
            ours_p50_us: rounded(ours.median(|round| round.p50), 1),
            peer_p50_us: rounded(peer.median(|round| round.p50), 1),
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

fn setup_text(played: &Played) -> String {
    match played.trials.len() {
        0 => played.setup.clone(),
        _ => format!("{} (tried: {})", played.setup, trials_text(&played.trials)),
    }
}

/// All cases of one run.
pub(crate) struct Report {
    about: String,
    rows: Vec<Row>,
}

impl Report {
    pub(crate) fn new(plan: &Plan, server: &str) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let about = format!(
            "{cores} cores, {server}, {} rounds of {:?} a side, in turn",
            plan.rounds, plan.window
        );
        Report {
            about,
            rows: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Writes `report.json`, and says where.
    pub(crate) fn write(&self) -> Result<PathBuf> {
        let folder = target().join("bench");
        fs::create_dir_all(&folder)?;
        let file = folder.join("report.json");
        let mut text = serde_json::to_vec_pretty(&self.rows)?;
        text.push(b'\n');
        fs::write(&file, text)?;
        Ok(file)
    }

    fn elsewhere(&self) -> f64 {
        let shares = self.rows.iter().map(|row| row.busy_elsewhere);
        shares.fold(0.0, f64::max) * 100.0
    }
}

/// The folder that cargo builds into.
fn target() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&manifest).parent().unwrap_or(Path::new("."));
    root.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

fn rounded(value: f64, digits: i32) -> f64 {
    let unit = 10_f64.powi(digits);
    (value * unit).round() / unit
}

#[cfg(test)]
mod tests;
