//! Exports what micro can say of itself to OpenTelemetry.
//!
//! Service authors turn it on by the feature `otel` of the crate `micro`, and find it there as `micro::otel`.

mod endpoints;
mod http;
mod instruments;
mod recorder;
mod telemetry;
mod tracer;

pub use recorder::MetricsRecorder;
pub use telemetry::Telemetry;
pub use tracer::propagate;

pub use opentelemetry_sdk;
