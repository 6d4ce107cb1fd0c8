//! Whether memory stayed flat.

use serde::Serialize;

use crate::outcome::median;

/// The share of the samples, at the beginning, that is not judged: queues, tables and the allocator still fill.
const UNJUDGED: f64 = 0.2;

/// How much the line through the rest may rise from its beginning to its end, in MiB.
const RISE: f64 = 2.0;

/// How far the highest of them may be above the middle one, in MiB.
const PEAK: f64 = 8.0;

/// What the samples of a soak say.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) flat: bool,
    pub(crate) rule: String,
    /// The first sample that is judged.
    pub(crate) first: usize,
    /// The line through those that are judged, at its beginning and at its end, in MiB.
    pub(crate) line: (f64, f64),
    pub(crate) median_mib: f64,
    pub(crate) peak_mib: f64,
    pub(crate) slope_mib_per_hour: f64,
}

impl Verdict {
    /// Judges samples in MiB, one a second.
    pub(crate) fn of(samples: &[f64]) -> Self {
        let first = (samples.len() as f64 * UNJUDGED) as usize;
        let judged = &samples[first..];
        let line = line(judged);
        let (median, peak) = (
            median(judged.to_vec()),
            judged.iter().copied().fold(0.0, f64::max),
        );
        let hours = judged.len().saturating_sub(1).max(1) as f64 / 3600.0;
        Verdict {
            flat: line.1 - line.0 <= RISE && peak - median <= PEAK,
            rule: format!(
                "over the last {:.0} % of the time, the least-squares line through the resident memory rises by at \
                 most {RISE} MiB, and no sample is more than {PEAK} MiB above the median",
                (1.0 - UNJUDGED) * 100.0
            ),
            first,
            line,
            median_mib: median,
            peak_mib: peak,
            slope_mib_per_hour: (line.1 - line.0) / hours,
        }
    }

    /// By how much the line rises.
    pub(crate) fn rise(&self) -> f64 {
        self.line.1 - self.line.0
    }
}

/// The least-squares line, at the first and at the last sample.
fn line(samples: &[f64]) -> (f64, f64) {
    let count = samples.len() as f64;
    let middle = (count - 1.0) / 2.0;
    let mean = samples.iter().sum::<f64>() / count.max(1.0);
    let (mut products, mut squares) = (0.0, 0.0);
    for (at, sample) in samples.iter().enumerate() {
        let from_middle = at as f64 - middle;
        products += from_middle * (sample - mean);
        squares += from_middle * from_middle;
    }
    let slope = if squares > 0.0 { products / squares } else { 0.0 };
    (mean - slope * middle, mean + slope * middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(of: impl Fn(f64) -> f64) -> Vec<f64> {
        (0..600).map(|second| of(f64::from(second))).collect()
    }

    #[test]
    fn the_line_is_found() {
        let (first, last) = line(&samples(|second| 20.0 + second / 100.0));
        assert!((first - 20.0).abs() < 1e-9 && (last - 25.99).abs() < 1e-9);
    }

    #[test]
    fn what_stays_is_flat_whatever_came_first() {
        let verdict = Verdict::of(&samples(|second| {
            if second < 100.0 {
                second
            } else {
                100.0 + second % 3.0
            }
        }));
        assert!(verdict.flat, "{verdict:?}");
    }

    #[test]
    fn what_rises_slowly_is_not_flat() {
        let verdict = Verdict::of(&samples(|second| 50.0 + second / 200.0));
        assert!(!verdict.flat, "{verdict:?}");
        assert!((verdict.slope_mib_per_hour - 18.0).abs() < 0.1, "{verdict:?}");
    }

    #[test]
    fn a_peak_is_not_flat() {
        let verdict = Verdict::of(&samples(|second| if second == 300.0 { 60.0 } else { 50.0 }));
        assert!(!verdict.flat, "{verdict:?}");
    }
}
