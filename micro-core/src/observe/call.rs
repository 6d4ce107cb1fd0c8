//! The two ends of a call.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, Span, info_span};

use crate::address::Address;
use crate::observe::kind::Kind;
use crate::observe::methods::full_name;
use crate::observe::metrics::retried;
use crate::observe::observed::Observed;
use crate::observe::parent::join;
use crate::observe::recorder::is_recorded;
use crate::observe::{Methods, OTHER};
use crate::rpc::items::Chunk;
use crate::rpc::{Body, BodyStream, Request, Response, Source, Status};

/// A call that is about to be made. Its trace is put into the metadata of its context; `None` when nobody observes it.
pub fn client(request: &mut Request) -> Option<Observed> {
    if is_unobserved() {
        return None;
    }
    let span = info_span!(
        target: "micro::rpc", "rpc.client",
        rpc.method = Empty, rpc.system.name = Empty, server.address = Empty,
        rpc.response.status_code = Empty, error.type = Empty,
        otel.kind = Empty, otel.name = Empty, otel.status_code = Empty, otel.status_description = Empty,
    );
    if span.is_disabled() && !is_recorded() {
        return None;
    }
    let method = full_name(&request.service, &request.endpoint);
    Some(begin(span, Kind::Client, method, request))
}

/// A call that came in, to a server of these methods. The metadata of its context then say where its handler stands in
/// the trace; `None` when nobody observes it.
pub fn server(request: &mut Request, methods: &Methods) -> Option<Observed> {
    if is_unobserved() {
        return None;
    }
    let span = info_span!(
        target: "micro::rpc", parent: None, "rpc.server",
        rpc.method = Empty, rpc.method_original = Empty, rpc.system.name = Empty,
        rpc.response.status_code = Empty, error.type = Empty,
        otel.kind = Empty, otel.name = Empty, otel.status_code = Empty, otel.status_description = Empty,
    );
    if span.is_disabled() && !is_recorded() {
        return None;
    }
    let method = methods.name(request);
    if &*method == OTHER {
        span.record("rpc.method_original", &*request.endpoint);
    }
    Some(begin(span, Kind::Server, method, request))
}

/// Whether it is certain that nobody observes any call: two looks, where to make a span that is disabled is work.
fn is_unobserved() -> bool {
    LevelFilter::current() < LevelFilter::INFO && !is_recorded()
}

fn begin(span: Span, kind: Kind, method: Arc<str>, request: &mut Request) -> Observed {
    span.record("rpc.method", &*method);
    if let Some(headers) = join(&span, kind, &method, request.context.metadata()) {
        request.context = std::mem::take(&mut request.context).with_metadata(headers);
    }
    Observed::new(span, kind, method)
}

/// The node that a call was made to last, of which its span is told when no more are tried.
#[derive(Debug, Default)]
pub(crate) struct LastNode(Option<Address>);

impl LastNode {
    /// Notes an attempt, and why the one before it failed.
    pub(crate) fn set(&mut self, node: &Address, failed: Option<&Status>) {
        if LevelFilter::current() >= LevelFilter::INFO {
            self.0 = Some(node.clone());
        }
        if let Some(status) = failed {
            tracing::debug!(target: "micro::rpc", %node, %status, "the call is made again");
            retried(status);
        }
    }
}

/// Not at each attempt: exporters take what is recorded twice for two attributes.
impl Drop for LastNode {
    fn drop(&mut self) {
        if let Some(node) = &self.0 {
            Span::current().record("server.address", node.as_str());
        }
    }
}

impl Observed {
    /// Observes a call up to its answer, and a stream of answers up to its end.
    pub(crate) async fn answer(
        self,
        answer: impl Future<Output = Result<Response, Status>>,
    ) -> Result<Response, Status> {
        let mut answer = answer.instrument(self.span().clone()).await;
        match &mut answer {
            Err(status) => self.end(Err(status)),
            Ok(response) => match std::mem::replace(&mut response.body, Body::One(Bytes::new())) {
                Body::Many(items) => {
                    let observed = Some(self);
                    response.body = Body::Many(BodyStream::of(Answers { items, observed }));
                }
                one => {
                    response.body = one;
                    self.end(Ok(()));
                }
            },
        }
        answer
    }
}

/// The answers of a stream that somebody observes.
struct Answers {
    items: BodyStream,
    observed: Option<Observed>,
}

impl Source for Answers {
    fn poll_chunk(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Result<Chunk, Status>>> {
        let Some(observed) = self.observed.take() else {
            return self.items.poll_chunk(cx);
        };
        let polled = observed.span().in_scope(|| self.items.poll_chunk(cx));
        match &polled {
            Poll::Ready(None) => observed.end(Ok(())),
            Poll::Ready(Some(Err(status))) => observed.end(Err(status)),
            _ => self.observed = Some(observed),
        }
        polled
    }
}
