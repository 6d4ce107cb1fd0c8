//! Where a new span belongs, and what travels on from it.

use tracing::Span;

use crate::message::Headers;
use crate::observe::TraceContext;
use crate::observe::kind::Kind;
use crate::observe::tracer::{Tracer, tracer};

/// Names a span for those who export it, and gives it its parent. The headers that travel on from it; `None` when
/// nobody exports it, and those that came are as good.
///
/// What came in is the child of whoever sent it. What goes out is the child of the current span, unless its headers are
/// of another trace: then they were handed on from elsewhere, on purpose.
pub(super) fn join(span: &Span, kind: Kind, name: &str, headers: &Headers) -> Option<Headers> {
    let tracer = tracer()?;
    if span.is_disabled() {
        return None;
    }
    span.record(kind.system(), "micro");
    span.record("otel.kind", kind.name());
    span.record("otel.name", name);
    if let Some(parent) = TraceContext::of(headers)
        && (kind.is_incoming() || !is_current(tracer, &parent))
    {
        tracer.set_parent(span, &parent);
    }
    let place = tracer.place(span)?;
    let mut headers = headers.clone();
    place.write(&mut headers);
    Some(headers)
}

fn is_current(tracer: &dyn Tracer, trace: &TraceContext) -> bool {
    let current = tracer.place(&Span::current());
    current.is_some_and(|current| current.trace_id() == trace.trace_id())
}
