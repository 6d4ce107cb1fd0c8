//! Exports what micro can say of itself to OpenTelemetry.
//!
//! Service authors turn it on by the feature `otel` of the crate `micro`, and find it there as `micro::otel`.

mod instruments;
mod recorder;
mod tracer;

pub use recorder::MetricsRecorder;
pub use tracer::propagate;
