//! Sends typed events.

use std::sync::Arc;

use micro_core::observe;
use micro_core::rpc::is_reserved;
use micro_core::{Broker, Context, Error, ErrorKind, Headers, Message, Payload, Result};

use crate::events::{CONTENT_TYPE, ID, Sequences, TOPIC, TypedEvent, metadata};

/// Publishes typed events. Cloning is cheap.
///
/// ```
/// use micro::prelude::*;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> micro::Result<()> {
/// # let service = micro::Service::builder("greeter").start().await?;
/// let publisher = service.publisher();
/// publisher.publish_to("greetings", &Json("hello".to_owned())).await?;
/// # service.shutdown().await?; Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Publisher {
    broker: Arc<dyn Broker>,
    /// What the events are part of.
    context: Option<Context>,
    sequences: Sequences,
}

impl Publisher {
    /// Publishes through this broker.
    pub fn new(broker: Arc<dyn Broker>) -> Self {
        Publisher {
            broker,
            context: None,
            sequences: Sequences::default(),
        }
    }

    /// Makes what it publishes part of a call, or of the handling of an event: it carries their metadata, and with
    /// that their trace. Headers of its own come after.
    #[must_use]
    pub fn context(mut self, context: &Context) -> Self {
        self.context = Some(context.clone());
        self
    }

    /// Publishes one event on the topic of its type.
    ///
    /// # Errors
    /// As [`publish_to`](Publisher::publish_to).
    ///
    /// # Cancel safety
    /// The event is published whole or not at all.
    pub async fn publish<E: TypedEvent>(&self, event: &E) -> Result<()> {
        self.publish_to(E::TOPIC, event).await
    }

    /// Publishes one event to all plain subscribers of the topic, and to one member of each queue group.
    ///
    /// It carries the headers that go-micro's subscribers expect: `Content-Type`, `Micro-Topic` and `Micro-ID`. The id
    /// numbers the events of this publisher (and its clones) on the topic, so that subscribers notice which are missing.
    /// That nobody subscribes is not an error.
    ///
    /// # Errors
    /// As [`Broker::publish`], and [`Payload::encode`]. Success means that the event is on its way:
    /// a program that ends soon after [flushes](Publisher::flush).
    ///
    /// # Cancel safety
    /// The event is published whole or not at all.
    pub async fn publish_to<P: Payload>(&self, topic: &str, event: &P) -> Result<()> {
        self.publish_with(topic, event, Headers::new()).await
    }

    /// Publishes one event with headers of one's own, which its subscribers find in their context's metadata.
    ///
    /// # Errors
    /// As [`publish_to`](Publisher::publish_to), and [`ErrorKind::InvalidArgument`] for a header that is the framework's.
    ///
    /// # Cancel safety
    /// The event is published whole or not at all.
    pub async fn publish_with<P: Payload>(&self, topic: &str, event: &P, headers: Headers) -> Result<()> {
        let mut message = message(topic, event, headers, self.context.as_ref())
            .map_err(|error| error.with_operation("publish").with_context("topic", topic))?;
        let id = self.sequences.next(topic);
        message.headers.insert(ID, id.to_string());
        let published = match observe::publish(topic, &mut message) {
            None => self.broker.publish(topic, message).await,
            Some(observed) => observed.publish(self.broker.publish(topic, message)).await,
        };
        if published.as_ref().is_err_and(sent_nothing) {
            self.sequences.give_back(topic, id);
        }
        published
    }

    /// Waits until what was published has reached the broker: for programs that publish and end.
    ///
    /// A [`Service`](crate::Service) that is shut down does so by itself.
    ///
    /// # Errors
    /// [`Unavailable`](ErrorKind::Unavailable) when the broker cannot be reached now; events may be lost.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn flush(&self) -> Result<()> {
        self.broker.flush().await
    }
}

/// Whether an event that failed so has certainly not left. Else its id is not used again: two events would share one.
fn sent_nothing(error: &Error) -> bool {
    let refused = matches!(
        error.kind(),
        ErrorKind::InvalidArgument | ErrorKind::ResourceExhausted
    );
    refused || error.undelivered() > 0
}

fn message<P: Payload>(topic: &str, event: &P, own: Headers, context: Option<&Context>) -> Result<Message> {
    if let Some((name, _)) = own.iter().find(|(name, _)| is_reserved(name)) {
        let message = format!("header {name:?} is the framework's own");
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    let body = event.encode(P::CODEC)?;
    let mut headers = context.map_or_else(Headers::new, |context| metadata(context.metadata()));
    headers.extend(own);
    headers.insert(CONTENT_TYPE, P::CODEC.content_type());
    headers.insert(TOPIC, topic.to_owned());
    Ok(Message { headers, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_free_again_only_when_nothing_was_sent() {
        let unavailable = || Error::new(ErrorKind::Unavailable, "no connection");
        assert!(sent_nothing(&unavailable().with_undelivered(1)));
        assert!(!sent_nothing(&unavailable()));
        assert!(sent_nothing(&Error::new(
            ErrorKind::ResourceExhausted,
            "too large"
        )));
    }
}
