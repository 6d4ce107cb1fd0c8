//! Exports what micro can say of itself to OpenTelemetry.
//!
//! Service authors turn it on by the feature `otel` of the crate `micro`, and find it there as `micro::otel`.

mod tracer;

pub use tracer::propagate;
