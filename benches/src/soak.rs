//! The soak: half of the maximum load for minutes, and a look at memory each second.

use std::convert::Infallible;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval};

use crate::plot;
use crate::report::{SOAK_PLOT, SOAK_TEXT, folder};

mod verdict;
mod work;

use verdict::Verdict;
use work::Load;

/// How long the maximum is looked for; the first third warms up and does not count.
const PROBE: Duration = Duration::from_secs(15);

/// What a soak gave.
#[derive(Serialize)]
pub(crate) struct Soak {
    minutes: f64,
    loads: Vec<Done>,
    verdict: Verdict,
    /// Resident memory of this process, which is caller and service, in MiB, one sample a second.
    samples: Vec<f64>,
}

/// What was done of one kind.
#[derive(Serialize)]
struct Done {
    name: &'static str,
    /// In a second, with nothing held back.
    maximum: f64,
    /// In a second, during the soak.
    held: f64,
    /// During the soak.
    total: u64,
}

impl Soak {
    /// Soaks for so long.
    pub(crate) async fn run(url: &str, minutes: f64) -> Result<Self> {
        let load = Load::open(url).await?;
        eprintln!("soak: the maximum, for {PROBE:?}");
        load.run(None, PROBE / 3).await?;
        let maximum = load.run(None, PROBE * 2 / 3).await?;
        let half: Vec<f64> = maximum.iter().map(|rate| rate / 2.0).collect();
        eprintln!("soak: half of {}, for {minutes} minutes", rates(&load, &maximum));
        let before: Vec<u64> = load.works.iter().map(work::Work::done).collect();
        let mut samples = Vec::new();
        let held = tokio::select! {
            held = load.run(Some(&half), Duration::from_secs_f64(minutes * 60.0)) => held?,
            Err(error) = sample(&mut samples) => return Err(error),
        };
        let kinds = load.works.iter().zip(before).zip(maximum.iter().zip(&held));
        let loads = kinds.map(|((work, before), (maximum, held))| Done {
            name: work.name,
            maximum: maximum.round(),
            held: held.round(),
            total: work.done() - before,
        });
        Ok(Soak {
            minutes,
            loads: loads.collect(),
            verdict: Verdict::of(&samples),
            samples,
        })
    }

    pub(crate) fn is_flat(&self) -> bool {
        self.verdict.flat
    }

    /// Writes `soak.json` and `soak.svg`, and says where.
    pub(crate) fn write(&self) -> Result<PathBuf> {
        let folder = folder();
        fs::create_dir_all(&folder)?;
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        fs::write(folder.join("soak.json"), text)?;
        fs::write(folder.join(SOAK_TEXT), format!("{self}\n"))?;
        let file = folder.join(SOAK_PLOT);
        fs::write(&file, self.plot())?;
        Ok(file)
    }

    fn plot(&self) -> String {
        let Verdict { first, line, .. } = self.verdict;
        let title = format!("soak of {} minutes at half of the maximum load", self.minutes);
        plot::memory(&title, &self.judgement(), &self.samples, first, line)
    }

    fn judgement(&self) -> String {
        let verdict = &self.verdict;
        format!(
            "{}: the line rises by {:.2} MiB ({:.1} MiB an hour), the median is {:.1} MiB, the peak {:.1} MiB",
            if verdict.flat { "flat" } else { "NOT FLAT" },
            verdict.rise(),
            verdict.slope_mib_per_hour,
            verdict.median_mib,
            verdict.peak_mib
        )
    }
}

impl fmt::Display for Soak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "soak of {} minutes at half of the maximum load, calls, streams and events at once",
            self.minutes
        )?;
        for load in &self.loads {
            writeln!(
                f,
                "- {}: {} in all, {:.0}/s of {:.0}/s at most",
                load.name, load.total, load.held, load.maximum
            )?;
        }
        writeln!(f, "- {}", self.judgement())?;
        write!(f, "- the rule for flat: {}", self.verdict.rule)
    }
}

fn rates(load: &Load, rates: &[f64]) -> String {
    let texts = load.works.iter().zip(rates);
    let texts: Vec<_> = texts
        .map(|(work, rate)| format!("{rate:.0} {}/s", work.name))
        .collect();
    texts.join(", ")
}

/// Looks at memory each second, until it is dropped.
async fn sample(samples: &mut Vec<f64>) -> Result<Infallible> {
    let mut seconds = interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        seconds.tick().await;
        let resident = resident()?;
        if samples.len().is_multiple_of(30) {
            eprintln!("  {} s: {resident:.1} MiB", samples.len());
        }
        samples.push(resident);
    }
}

/// Memory of this process that is in use, in MiB. Linux only.
fn resident() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status").context("a soak needs Linux")?;
    parse(&status).context("/proc/self/status says nothing of VmRSS")
}

fn parse(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some((kib / 1024.0 * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read() {
        assert_eq!(parse("Name:\tx\nVmRSS:\t   20480 kB\nThreads:\t1\n"), Some(20.0));
        assert_eq!(parse("Name:\tx\n"), None);
    }
}
