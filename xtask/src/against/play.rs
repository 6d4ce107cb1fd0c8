//! One turn: a program of benchmarks plays its own side of a case.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{nats, process};

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Played {
    /// How many a second.
    pub(super) rate: f64,
    /// Of what, such as `calls/s`.
    pub(super) unit: String,
    /// Processor time of one, in microseconds; 0 where it is not known.
    pub(super) cpu: f64,
    /// The set-up that it chose as its best.
    pub(super) setup: String,
}

/// Plays some rounds of so many seconds.
pub(super) fn alone(program: &Path, server: &Path, case: &str, rounds: u16, seconds: f64) -> Result<Played> {
    let mut command = Command::new(program);
    command
        .args(["--only", case, "--alone", "ours"])
        .args(["--rounds", &rounds.to_string(), "--seconds", &seconds.to_string()])
        .env(nats::VARIABLE, server);
    let output = process::capture(&mut command)?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines()
        .find_map(|line| Played::read(line.strip_prefix(case)?))
        .with_context(|| format!("it gave no figures: {said}"))
}

impl Played {
    /// Reads `: 71000 calls/s, 14.2 us of processor time each, 1 connection`.
    fn read(line: &str) -> Option<Self> {
        let mut parts = line.strip_prefix(": ")?.splitn(3, ", ");
        let (rate, unit) = parts.next()?.split_once(' ')?;
        let cpu = parts.next()?.strip_suffix(" us of processor time each")?;
        Some(Played {
            rate: rate.parse().ok().filter(|&rate| rate > 0.0)?,
            unit: unit.to_owned(),
            cpu: cpu.parse().ok()?,
            setup: parts.next()?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_what_a_side_alone_prints() {
        let line = ": 71000 calls/s, 14.25 us of processor time each, JSON, 1 connection";
        let played = Played::read(line).unwrap();
        assert_eq!((played.rate, played.cpu), (71000.0, 14.25));
        assert_eq!((&*played.unit, &*played.setup), ("calls/s", "JSON, 1 connection"));
    }

    #[test]
    fn what_has_no_figures_is_no_result() {
        for line in ["", ": not run", ": 0 calls/s, 0.0 us of processor time each, one"] {
            assert_eq!(Played::read(line), None, "{line}");
        }
    }
}
