//! Who gives spans a place in a trace.

use std::sync::OnceLock;

use tracing::Span;

use crate::observe::TraceContext;

/// Gives spans of `tracing` a place in a trace, so that it can be carried to other processes.
///
/// `tracing` itself knows spans of one process only; whoever exports them, such as OpenTelemetry's layer, knows more.
pub trait Tracer: Send + Sync + 'static {
    /// Where a span stands; `None` when nobody exports it. A span's place does not change once this was asked.
    fn place(&self, span: &Span) -> Option<TraceContext>;

    /// Makes a span, whose place nobody has asked for yet, a child of one elsewhere.
    fn set_parent(&self, span: &Span, parent: &TraceContext);
}

static TRACER: OnceLock<Box<dyn Tracer>> = OnceLock::new();

/// Sets the tracer of this process, once; false when there is one already, which stays.
///
/// A tracer holds nothing: which spans are exported, and where to, is what their subscriber knows. So one is enough,
/// whatever subscribers there are.
pub fn set_tracer(tracer: impl Tracer) -> bool {
    TRACER.set(Box::new(tracer)).is_ok()
}

pub(super) fn tracer() -> Option<&'static dyn Tracer> {
    TRACER.get().map(AsRef::as_ref)
}
