//! What a counter, a gauge and a histogram of the crate `metrics` are to OpenTelemetry.

use metrics::{CounterFn, GaugeFn, HistogramFn, Key, Unit};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram};
use parking_lot::Mutex;

/// A counter with its labels.
#[derive(Debug)]
pub(crate) struct Adding {
    counter: Counter<u64>,
    attributes: Vec<KeyValue>,
    /// For what is told as a sum and not as what was added.
    sum: Mutex<u64>,
}

/// A gauge with its labels.
#[derive(Debug)]
pub(crate) struct Setting {
    gauge: Gauge<f64>,
    attributes: Vec<KeyValue>,
    value: Mutex<f64>,
}

/// A histogram with its labels.
#[derive(Debug)]
pub(crate) struct Measuring {
    histogram: Histogram<f64>,
    attributes: Vec<KeyValue>,
}

impl Adding {
    pub(crate) fn new(counter: Counter<u64>, attributes: Vec<KeyValue>) -> Self {
        Adding {
            counter,
            attributes,
            sum: Mutex::new(0),
        }
    }
}

impl CounterFn for Adding {
    fn increment(&self, value: u64) {
        *self.sum.lock() += value;
        self.counter.add(value, &self.attributes);
    }

    fn absolute(&self, value: u64) {
        let mut sum = self.sum.lock();
        self.counter.add(value.saturating_sub(*sum), &self.attributes);
        *sum = value.max(*sum);
    }
}

impl Setting {
    pub(crate) fn new(gauge: Gauge<f64>, attributes: Vec<KeyValue>) -> Self {
        Setting {
            gauge,
            attributes,
            value: Mutex::new(0.0),
        }
    }

    /// Under the lock, so that the last value told is the last one set.
    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut value = self.value.lock();
        *value = change(*value);
        self.gauge.record(*value, &self.attributes);
    }
}

impl GaugeFn for Setting {
    fn increment(&self, by: f64) {
        self.change(|value| value + by);
    }

    fn decrement(&self, by: f64) {
        self.change(|value| value - by);
    }

    fn set(&self, to: f64) {
        self.change(|_| to);
    }
}

impl Measuring {
    pub(crate) fn new(histogram: Histogram<f64>, attributes: Vec<KeyValue>) -> Self {
        Measuring {
            histogram,
            attributes,
        }
    }
}

impl HistogramFn for Measuring {
    fn record(&self, value: f64) {
        self.histogram.record(value, &self.attributes);
    }
}

pub(crate) fn attributes(key: &Key) -> Vec<KeyValue> {
    let labels = key.labels();
    labels
        .map(|label| KeyValue::new(label.key().to_owned(), label.value().to_owned()))
        .collect()
}

/// As OpenTelemetry writes units: UCUM's codes.
pub(crate) fn unit(unit: Option<Unit>) -> &'static str {
    match unit {
        None => "",
        Some(Unit::Count) => "1",
        Some(Unit::Bytes) => "By",
        Some(Unit::Microseconds) => "us",
        Some(unit) => unit.as_canonical_label(),
    }
}
