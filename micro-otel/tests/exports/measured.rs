//! The metrics of one test.

use std::time::Duration;

use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};

/// How long it may take until something is counted. It bounds a failure.
const LIMIT: Duration = Duration::from_secs(20);

/// What is recorded by this thread, and so by the runtime of this test.
pub(crate) struct Measured {
    exporter: InMemoryMetricExporter,
    provider: SdkMeterProvider,
    _recorded: ::metrics::LocalRecorderGuard<'static>,
}

/// One series, with its labels sorted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) labels: Vec<(String, String)>,
    /// A sum, a gauge's value, or a histogram's count.
    pub(crate) value: f64,
}

impl Measured {
    pub(crate) fn here() -> Self {
        let exporter = InMemoryMetricExporter::default();
        let reader = PeriodicReader::builder(exporter.clone()).build();
        let provider = SdkMeterProvider::builder().with_reader(reader).build();
        // As one for the whole process, which also lives for ever.
        let recorder = Box::leak(Box::new(micro_otel::MetricsRecorder::new(provider.meter("test"))));
        Measured {
            exporter,
            provider,
            _recorded: ::metrics::set_default_local_recorder(recorder),
        }
    }

    pub(crate) fn all(&self) -> Vec<Series> {
        self.provider.force_flush().unwrap();
        let finished = self.exporter.get_finished_metrics().unwrap();
        finished.last().map(series).unwrap_or_default()
    }

    /// Waits until a series has this value.
    pub(crate) async fn until(&self, name: &str, labels: &[(&str, &str)], value: f64) {
        let wanted = |series: &Series| {
            let mut said = series
                .labels
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()));
            series.name == name && series.value == value && said.by_ref().eq(labels.iter().copied())
        };
        let seen = async {
            while !self.all().iter().any(wanted) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let seen = tokio::time::timeout(LIMIT, seen).await;
        assert!(
            seen.is_ok(),
            "{name} {labels:?} is not {value}: {:#?}",
            self.all()
        );
    }
}

fn series(metrics: &ResourceMetrics) -> Vec<Series> {
    let metrics = metrics.scope_metrics().flat_map(|scope| scope.metrics());
    let mut all = Vec::new();
    for metric in metrics {
        let mut add = |labels: &mut dyn Iterator<Item = &opentelemetry::KeyValue>, value: f64| {
            let labels = labels.map(|label| (label.key.to_string(), label.value.to_string()));
            let mut labels: Vec<_> = labels.collect();
            labels.sort();
            let (name, unit) = (metric.name().to_owned(), metric.unit().to_owned());
            all.push(Series {
                name,
                unit,
                labels,
                value,
            });
        };
        match metric.data() {
            AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                sum.data_points()
                    .for_each(|point| add(&mut point.attributes(), point.value() as f64));
            }
            AggregatedMetrics::F64(MetricData::Gauge(gauge)) => {
                gauge
                    .data_points()
                    .for_each(|point| add(&mut point.attributes(), point.value()));
            }
            AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                let points = histogram.data_points();
                points.for_each(|point| add(&mut point.attributes(), point.count() as f64));
            }
            other => panic!("{other:?}"),
        }
    }
    all
}
