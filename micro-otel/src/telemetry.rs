//! Exports spans and metrics, for as long as a program runs.

use std::time::Duration;

use micro_core::plugin::without_login;
use micro_core::{Error, ErrorKind, Result};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{
    ExporterBuildError, MetricExporter, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{SdkTracerProvider, Tracer};
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::endpoints::Endpoints;
use crate::http::Post;
use crate::{MetricsRecorder, propagate};

/// What one export may take, unless `OTEL_EXPORTER_OTLP_TIMEOUT` says otherwise: OpenTelemetry's default.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Exports spans and metrics to OpenTelemetry.
///
/// ```no_run
/// # fn main() -> micro_core::Result<()> {
/// let telemetry = micro_otel::Telemetry::from_env("greeter")?; // to a collector at localhost:4318
/// telemetry.install()?;
/// // … the service runs, and ends …
/// telemetry.shutdown()
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Telemetry {
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
    /// Where both are sent, when that is known.
    endpoints: Option<Endpoints>,
}

impl Telemetry {
    /// Exports by OTLP, as protobuf over HTTP, as OpenTelemetry's environment variables say.
    ///
    /// | variable | default |
    /// |---|---|
    /// | `OTEL_EXPORTER_OTLP_ENDPOINT`, and `…_TRACES_…`, `…_METRICS_…` | `http://localhost:4318` |
    /// | `OTEL_EXPORTER_OTLP_HEADERS`, `…_TIMEOUT` | none, 10,000 ms |
    /// | `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | the name given here, none |
    /// | `OTEL_TRACES_SAMPLER`, `…_ARG` | whatever is not left out elsewhere |
    /// | `OTEL_BSP_SCHEDULE_DELAY`, `OTEL_BSP_MAX_QUEUE_SIZE` | 5,000 ms, 2,048 spans; more are dropped, and that is logged |
    /// | `OTEL_METRIC_EXPORT_INTERVAL` | 60,000 ms |
    ///
    /// Nothing is sent before there is something. A collector that cannot be reached harms nobody: what it does not take
    /// is dropped, and logged.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for an endpoint that is none.
    pub fn from_env(service: &str) -> Result<Self> {
        let spans = SpanExporter::builder().with_http().with_http_client(post());
        let metrics = MetricExporter::builder().with_http().with_http_client(post());
        Telemetry::by(service, Endpoints::from_env(), spans.build(), metrics.build())
    }

    /// As [`from_env`](Telemetry::from_env), to the collector at this URL, whatever the environment says of that.
    ///
    /// # Errors
    /// As [`from_env`](Telemetry::from_env).
    pub fn to(endpoint: &str, service: &str) -> Result<Self> {
        let endpoints = Endpoints::below(endpoint);
        let spans = SpanExporter::builder().with_http().with_http_client(post());
        let metrics = MetricExporter::builder().with_http().with_http_client(post());
        let spans = spans.with_endpoint(&endpoints.traces).build();
        let metrics = metrics.with_endpoint(&endpoints.metrics).build();
        Telemetry::by(service, endpoints, spans, metrics)
    }

    fn by(
        service: &str,
        endpoints: Endpoints,
        spans: Result<SpanExporter, ExporterBuildError>,
        metrics: Result<MetricExporter, ExporterBuildError>,
    ) -> Result<Self> {
        let resource = resource(service);
        let spans = SdkTracerProvider::builder().with_batch_exporter(spans.map_err(invalid)?);
        let metrics = PeriodicReader::builder(metrics.map_err(invalid)?).build();
        let metrics = SdkMeterProvider::builder().with_reader(metrics);
        Ok(Telemetry {
            traces: spans.with_resource(resource.clone()).build(),
            metrics: metrics.with_resource(resource).build(),
            endpoints: Some(endpoints),
        })
    }

    /// Exports by these, for exporters of one's own.
    pub fn new(traces: SdkTracerProvider, metrics: SdkMeterProvider) -> Self {
        Telemetry {
            traces,
            metrics,
            endpoints: None,
        }
    }

    /// Exports all spans of level `INFO` and above, and all metrics, of the whole process, and carries traces over calls and
    /// events.
    ///
    /// A program that prints what it logs, too, has a subscriber of its own: it adds the [`layer`](Telemetry::layer) to
    /// that, and calls [`record`](Telemetry::record).
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] when the process has a subscriber or a recorder already.
    pub fn install(&self) -> Result<()> {
        self.record()?;
        let subscriber = tracing_subscriber::registry().with(self.layer().with_filter(LevelFilter::INFO));
        subscriber.try_init().map_err(taken)
    }

    /// A layer that exports spans, for a subscriber of one's own; traces are carried over calls and events from now on.
    pub fn layer<S>(&self) -> OpenTelemetryLayer<S, Tracer>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        propagate();
        tracing_opentelemetry::layer().with_tracer(self.traces.tracer("micro"))
    }

    /// Exports what the whole process counts and measures. Before a service starts, so that its descriptions are known.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] when the process has a recorder already.
    pub fn record(&self) -> Result<()> {
        metrics::set_global_recorder(self.recorder()).map_err(taken)
    }

    /// A recorder of the crate `metrics`, for those who combine several.
    pub fn recorder(&self) -> MetricsRecorder {
        MetricsRecorder::new(self.metrics.meter("micro"))
    }

    /// Sends what was not sent yet. Blocks until that is done, at the end of a program.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when not all of it arrived, with the endpoint that it was sent to.
    pub fn shutdown(self) -> Result<()> {
        // Of what could not be sent, only a flush tells.
        let traces = self.traces.force_flush();
        let metrics = self.metrics.force_flush();
        let traces = traces.and(self.traces.shutdown());
        let metrics = metrics.and(self.metrics.shutdown());
        let at = self.endpoints.as_ref();
        let traces = traces.map_err(|error| unsent("traces", at.map(|at| &at.traces), error));
        let metrics = metrics.map_err(|error| unsent("metrics", at.map(|at| &at.metrics), error));
        traces.and(metrics)
    }
}

fn unsent(what: &str, endpoint: Option<&String>, error: OTelSdkError) -> Error {
    let message = format!("not all {what} were exported: {error}");
    let mut unsent = Error::new(ErrorKind::Unavailable, message).with_operation("shutdown");
    if let Some(endpoint) = endpoint {
        unsent = unsent.with_context("endpoint", without_login(endpoint));
    }
    unsent.with_source(error)
}

fn post() -> Post {
    Post::new(timeout())
}

fn timeout() -> Duration {
    let said = std::env::var("OTEL_EXPORTER_OTLP_TIMEOUT").ok();
    let said = said.and_then(|milliseconds| milliseconds.parse().ok());
    said.map_or(TIMEOUT, Duration::from_millis)
}

/// What the environment says of the process comes first, as OpenTelemetry has it.
fn resource(service: &str) -> Resource {
    match std::env::var_os("OTEL_SERVICE_NAME") {
        Some(_) => Resource::builder().build(),
        None => Resource::builder().with_service_name(service.to_owned()).build(),
    }
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::InvalidArgument, error.to_string()).with_source(error)
}

fn taken(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::AlreadyExists, error.to_string())
        .with_operation("install")
        .with_source(error)
}
