//! The spans of one test.

use std::sync::Once;
use std::time::Duration;

use opentelemetry::trace::{SpanKind, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tracing_subscriber::layer::SubscriberExt;

/// How long a span may take to end. It bounds a failure.
const LIMIT: Duration = Duration::from_secs(20);

/// What is exported by this thread, and so by the runtime of this test.
pub(crate) struct Exported {
    spans: InMemorySpanExporter,
    _provider: SdkTracerProvider,
    _subscribed: tracing::subscriber::DefaultGuard,
}

impl Exported {
    pub(crate) fn here() -> Self {
        micro_otel::propagate();
        let spans = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(spans.clone())
            .build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        Exported {
            spans,
            _provider: provider,
            _subscribed: subscribe(tracing_subscriber::registry().with(layer)),
        }
    }

    /// The span of this kind and name, once it has ended.
    pub(crate) async fn span(&self, kind: SpanKind, name: &str) -> SpanData {
        let ended = async {
            loop {
                match self
                    .ended()
                    .into_iter()
                    .find(|span| span.name == name && span.span_kind == kind)
                {
                    Some(span) => return span,
                    None => tokio::task::yield_now().await,
                }
            }
        };
        let ended = tokio::time::timeout(LIMIT, ended).await;
        ended.unwrap_or_else(|_| panic!("no {kind:?} {name:?} ended; there are {:?}", self.names()))
    }

    /// All that have ended.
    pub(crate) fn ended(&self) -> Vec<SpanData> {
        self.spans.get_finished_spans().unwrap()
    }

    fn names(&self) -> Vec<String> {
        let spans = self.ended().into_iter();
        spans
            .map(|span| format!("{:?} {}", span.span_kind, span.name))
            .collect()
    }
}

/// Tells this thread's spans to this subscriber.
///
/// While there is only one subscriber, `tracing` asks the thread that is first to reach a place in the code whether
/// its spans are wanted, and keeps the answer for all: a test without a subscriber would silence one that has it. So
/// there is one for the whole process besides.
pub(crate) fn subscribe(
    subscriber: impl tracing::Subscriber + Send + Sync,
) -> tracing::subscriber::DefaultGuard {
    static EVERYWHERE: Once = Once::new();
    EVERYWHERE.call_once(|| {
        tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
    });
    tracing::subscriber::set_default(subscriber)
}

/// What a span says of something.
pub(crate) fn attribute(span: &SpanData, name: &str) -> Option<String> {
    let found = span
        .attributes
        .iter()
        .find(|attribute| attribute.key.as_str() == name)?;
    Some(found.value.to_string())
}

/// Whether one span is the parent of another, in one trace.
pub(crate) fn is_parent(parent: &SpanData, child: &SpanData) -> bool {
    parent.span_context.trace_id() == child.span_context.trace_id()
        && parent.span_context.span_id() == child.parent_span_id
}
