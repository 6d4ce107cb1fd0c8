//! The two ends of an event.

use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

use crate::error::Result;
use crate::message::{Headers, Message};
use crate::observe::kind::Kind;
use crate::observe::observed::Observed;
use crate::observe::parent::join;
use crate::observe::recorder::is_recorded;
use crate::rpc::headers::ID;
use crate::rpc::{Context, Status};

/// An event that is about to be published on a topic. Its trace is put into its headers; `None` when nobody observes
/// it.
pub fn publish(topic: &str, message: &mut Message) -> Option<Observed> {
    let span = info_span!(
        target: "micro::messaging", "publish",
        messaging.destination.name = topic, messaging.message.id = Empty, messaging.message.body.size = Empty,
        messaging.system = Empty, messaging.operation.name = Empty, messaging.operation.type = Empty, error.type = Empty,
        otel.kind = Empty, otel.name = Empty, otel.status_code = Empty, otel.status_description = Empty,
    );
    if span.is_disabled() && !is_recorded() {
        return None;
    }
    describe(&span, "publish", "send", &message.headers);
    span.record("messaging.message.body.size", message.body.len());
    let name = format!("publish {topic}");
    if let Some(headers) = join(&span, Kind::Producer, &name, &message.headers) {
        message.headers = headers;
    }
    Some(Observed::new(span, Kind::Producer, topic.into()))
}

/// An event that came to a subscription, whose topic may have wildcards, in a queue group or in none; `None` when
/// nobody observes it.
///
/// `headers` are the event's. The metadata of the handler's context then say where it stands in the trace.
pub fn process(
    topic: &str,
    queue: Option<&str>,
    headers: &Headers,
    context: &mut Context,
) -> Option<Observed> {
    let span = info_span!(
        target: "micro::messaging", parent: None, "process",
        messaging.destination.name = Empty, messaging.destination.template = Empty,
        messaging.consumer.group.name = queue, messaging.message.id = Empty,
        messaging.system = Empty, messaging.operation.name = Empty, messaging.operation.type = Empty, error.type = Empty,
        otel.kind = Empty, otel.name = Empty, otel.status_code = Empty, otel.status_description = Empty,
    );
    if span.is_disabled() && !is_recorded() {
        return None;
    }
    let destination = match topic.contains(['*', '>']) {
        true => "messaging.destination.template",
        false => "messaging.destination.name",
    };
    span.record(destination, topic);
    describe(&span, "process", "process", headers);
    let name = format!("process {topic}");
    if let Some(headers) = join(&span, Kind::Consumer, &name, context.metadata()) {
        *context = std::mem::take(context).with_metadata(headers);
    }
    Some(Observed::new(span, Kind::Consumer, topic.into()))
}

impl Observed {
    /// Observes a publication up to its end.
    ///
    /// # Errors
    /// As it ended.
    ///
    /// # Cancel safety
    /// As that of the publication.
    pub async fn publish(self, publication: impl Future<Output = Result<()>>) -> Result<()> {
        let result = publication.instrument(self.span().clone()).await;
        match &result {
            Ok(()) => self.end(Ok(())),
            Err(error) => self.end(Err(&Status::new(error.kind().into(), error.to_string()))),
        }
        result
    }

    /// Observes the handling of an event up to its end; `failure` tells why it failed.
    ///
    /// # Errors
    /// As it ended.
    ///
    /// # Cancel safety
    /// As that of the handling.
    pub async fn process<E>(
        self,
        handling: impl Future<Output = Result<(), E>>,
        failure: impl FnOnce(&E) -> Status,
    ) -> Result<(), E> {
        let result = handling.instrument(self.span().clone()).await;
        let failed = result.as_ref().err().map(failure);
        self.end(failed.as_ref().map_or(Ok(()), Err));
        result
    }
}

fn describe(span: &Span, name: &str, operation: &str, headers: &Headers) {
    span.record("messaging.operation.name", name);
    span.record("messaging.operation.type", operation);
    if let Some(id) = headers.get(ID) {
        span.record("messaging.message.id", id);
    }
}
