//! How long calls take, by endpoint: what a hedge by percentile goes by.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;

use crate::message::Text;

/// How many endpoints are measured; when there are more, all are measured anew.
const ENDPOINTS: usize = 1_024;

/// How many calls must have been measured before anything is said of them.
const ENOUGH: u32 = 20;

/// After how many calls each of those before counts half.
const WINDOW: u32 = 1_000;

/// Histograms by service and endpoint.
#[derive(Debug, Default)]
pub(crate) struct Latencies(Mutex<HashMap<(Text, Text), Histogram>>);

impl Latencies {
    pub(crate) fn record(&self, service: &Text, endpoint: &Text, took: Duration) {
        let mut endpoints = self.0.lock();
        let key = (service.clone(), endpoint.clone());
        if endpoints.len() >= ENDPOINTS && !endpoints.contains_key(&key) {
            endpoints.clear();
        }
        endpoints.entry(key).or_default().record(took);
    }

    /// Within what time this share of the calls was answered; `None` while too few were measured.
    pub(crate) fn percentile(&self, service: &Text, endpoint: &Text, share: f64) -> Option<Duration> {
        let endpoints = self.0.lock();
        endpoints
            .get(&(service.clone(), endpoint.clone()))?
            .percentile(share)
    }
}

/// Four buckets for each power of two of microseconds, so that it errs by a quarter at most.
#[derive(Debug)]
struct Histogram {
    counts: [u32; BUCKETS],
    total: u32,
}

/// Up to an hour.
const BUCKETS: usize = 32 * 4;

impl Default for Histogram {
    fn default() -> Self {
        Histogram {
            counts: [0; BUCKETS],
            total: 0,
        }
    }
}

impl Histogram {
    fn record(&mut self, took: Duration) {
        self.counts[bucket(took)] += 1;
        self.total += 1;
        if self.total >= WINDOW {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.total = self.counts.iter().sum();
        }
    }

    fn percentile(&self, share: f64) -> Option<Duration> {
        if self.total < ENOUGH {
            return None;
        }
        let wanted = f64::from(self.total) * share;
        let mut seen = 0;
        let reaches = |count: &u32| {
            seen += count;
            f64::from(seen) >= wanted
        };
        let bucket = self.counts.iter().position(reaches)?;
        Some(upper_bound(bucket))
    }
}

fn bucket(took: Duration) -> usize {
    let micros = (took.as_micros() as u64).clamp(1, u64::from(u32::MAX));
    let power = micros.ilog2();
    let quarter = ((micros << 2) >> power) & 3;
    power as usize * 4 + quarter as usize
}

fn upper_bound(bucket: usize) -> Duration {
    let (power, quarter) = (bucket / 4, bucket as u64 % 4);
    Duration::from_micros(((quarter + 5) << power).div_ceil(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_it_says() {
        for micros in (1..5_000).chain((1..31).map(|power| (1 << power) - 1)) {
            let took = Duration::from_micros(micros);
            let bound = upper_bound(bucket(took));
            assert!(
                took <= bound && bound.as_micros() as u64 <= micros + micros / 4 + 2,
                "{took:?} {bound:?}"
            );
        }
        assert_eq!(bucket(Duration::MAX), BUCKETS - 1);
    }

    #[test]
    fn a_percentile_is_what_that_share_took() {
        let mut histogram = Histogram::default();
        assert!(histogram.percentile(0.5).is_none());
        for millis in 1..=100 {
            histogram.record(Duration::from_millis(millis));
        }
        for (share, millis) in [(0.5, 50), (0.9, 90), (1.0, 100)] {
            let exact = Duration::from_millis(millis);
            let told = histogram.percentile(share).unwrap();
            assert!(
                told >= exact && told <= exact.mul_f64(1.26),
                "{told:?} for {exact:?}"
            );
        }
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let mut histogram = Histogram::default();
        (0..WINDOW).for_each(|_| histogram.record(Duration::from_secs(1)));
        (0..WINDOW * 4).for_each(|_| histogram.record(Duration::from_millis(1)));
        assert!(histogram.percentile(0.95).unwrap() < Duration::from_millis(2));
    }

    #[test]
    fn endpoints_are_bounded_and_apart() {
        let latencies = Latencies::default();
        for number in 0..3_000 {
            let endpoint = Text::from(format!("Test.Number{number}"));
            latencies.record(&Text::from("test"), &endpoint, Duration::from_millis(1));
        }
        assert!(latencies.0.lock().len() <= ENDPOINTS);
        let endpoint = Text::from("Test.Number2999");
        assert!(
            latencies
                .percentile(&Text::from("test"), &endpoint, 0.5)
                .is_none()
        );
    }
}
