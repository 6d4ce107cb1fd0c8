//! The recorder of the crate `metrics` that hands everything to OpenTelemetry's meters.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use opentelemetry::metrics::Meter;
use parking_lot::{Mutex, RwLock};

use crate::instruments::{Adding, Measuring, Setting, attributes, unit};

/// The boundaries of histograms in seconds: from calls in one process to those of minutes.
const SECONDS: [f64; 18] = [
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    10.0, 60.0,
];

/// Records what is counted and measured through the crate `metrics` with the meters of OpenTelemetry.
///
/// Names and labels become those of instruments and attributes. What is described after it was first recorded keeps what
/// was known of it then.
#[derive(Debug)]
pub struct MetricsRecorder {
    meter: Meter,
    described: Mutex<HashMap<String, (Option<Unit>, SharedString)>>,
    counters: Known<Counter>,
    gauges: Known<Gauge>,
    histograms: Known<Histogram>,
}

type Known<T> = RwLock<HashMap<Key, T>>;

impl MetricsRecorder {
    /// A recorder that makes its instruments with this meter.
    pub fn new(meter: Meter) -> Self {
        MetricsRecorder {
            meter,
            described: Mutex::default(),
            counters: Known::default(),
            gauges: Known::default(),
            histograms: Known::default(),
        }
    }

    fn describe(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.described
            .lock()
            .insert(name.as_str().to_owned(), (unit, text));
    }

    fn description(&self, key: &Key) -> (Option<Unit>, String) {
        match self.described.lock().get(key.name()) {
            Some((unit, text)) => (*unit, text.to_string()),
            None => (None, String::new()),
        }
    }

    fn counter(&self, key: &Key) -> Counter {
        let (of, text) = self.description(key);
        let builder = self.meter.u64_counter(key.name().to_owned());
        let counter = builder.with_unit(unit(of)).with_description(text).build();
        Counter::from_arc(Arc::new(Adding::new(counter, attributes(key))))
    }

    fn gauge(&self, key: &Key) -> Gauge {
        let (of, text) = self.description(key);
        let builder = self.meter.f64_gauge(key.name().to_owned());
        let gauge = builder.with_unit(unit(of)).with_description(text).build();
        Gauge::from_arc(Arc::new(Setting::new(gauge, attributes(key))))
    }

    fn histogram(&self, key: &Key) -> Histogram {
        let (of, text) = self.description(key);
        let builder = self.meter.f64_histogram(key.name().to_owned());
        let mut builder = builder.with_unit(unit(of)).with_description(text);
        if of == Some(Unit::Seconds) {
            builder = builder.with_boundaries(SECONDS.to_vec());
        }
        Histogram::from_arc(Arc::new(Measuring::new(builder.build(), attributes(key))))
    }
}

fn known<K: Hash + Eq + Clone, T: Clone>(
    known: &RwLock<HashMap<K, T>>,
    key: &K,
    make: impl FnOnce() -> T,
) -> T {
    if let Some(found) = known.read().get(key) {
        return found.clone();
    }
    known.write().entry(key.clone()).or_insert_with(make).clone()
}

impl Recorder for MetricsRecorder {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(name, unit, description);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(name, unit, description);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(name, unit, description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        known(&self.counters, key, || self.counter(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        known(&self.gauges, key, || self.gauge(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        known(&self.histograms, key, || self.histogram(key))
    }
}
