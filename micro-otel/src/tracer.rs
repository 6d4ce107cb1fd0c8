//! The place of a span in OpenTelemetry's traces.

use std::str::FromStr;

use micro_core::observe::{TraceContext, Tracer, set_tracer};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Carries the traces of OpenTelemetry over calls, streams and events, in W3C's headers.
///
/// A program that sets up the layer of `tracing-opentelemetry` by itself calls this once, at its start. Calling it
/// again does no harm.
pub fn propagate() {
    if !set_tracer(OpenTelemetry) {
        tracing::trace!("there is a tracer already");
    }
}

/// Asks the layer of `tracing-opentelemetry`, if the subscriber of a span has one.
struct OpenTelemetry;

impl Tracer for OpenTelemetry {
    fn place(&self, span: &Span) -> Option<TraceContext> {
        let context = span.context();
        let span = context.span();
        let place = span.span_context();
        place.is_valid().then(|| written(place)).flatten()
    }

    fn set_parent(&self, span: &Span, parent: &TraceContext) {
        let Some(parent) = read(parent) else { return };
        let context = opentelemetry::Context::new().with_remote_span_context(parent);
        if let Err(error) = span.set_parent(context) {
            tracing::debug!(%error, "a span could not be made part of the trace that came");
        }
    }
}

fn written(place: &SpanContext) -> Option<TraceContext> {
    let (trace, span) = (place.trace_id(), place.span_id());
    let flags = place.trace_flags().to_u8();
    let parent = TraceContext::new(format!("00-{trace}-{span}-{flags:02x}"))?;
    Some(parent.with_state(place.trace_state().header()))
}

/// A state that cannot be read is left out, as W3C has it; the trace goes on.
fn read(place: &TraceContext) -> Option<SpanContext> {
    let state = place
        .tracestate()
        .and_then(|state| TraceState::from_str(state).ok());
    Some(SpanContext::new(
        TraceId::from_hex(place.trace_id()).ok()?,
        SpanId::from_hex(place.span_id()).ok()?,
        TraceFlags::new(u8::from(place.is_sampled())),
        true,
        state.unwrap_or_default(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let place = TraceContext::new(text).unwrap().with_state("a=1,b=2");
        assert_eq!(written(&read(&place).unwrap()), Some(place));
    }

    #[test]
    fn a_state_that_cannot_be_read_costs_no_trace() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
        let place = TraceContext::new(text).unwrap().with_state("not a state");
        assert_eq!(written(&read(&place).unwrap()).unwrap().traceparent(), text);
    }
}
