//! What a service answers to: endpoints, middleware, events.

use micro_core::{Context, Event, Payload, Request, Response, Router, Status};
use tower::{BoxError, Layer};

use super::builder::ServiceBuilder;
use super::layer::Routes;
use super::subscriber::Subscriber;
use crate::events::{self, FailedEvent, Handler, SubscriberOptions, TypedEvent};

impl ServiceBuilder {
    /// Serves the endpoints of a router, beside those added before.
    pub fn serve(mut self, routes: impl Into<Router>) -> Self {
        self.router = self.router.merge(routes.into());
        self
    }

    /// Wraps all endpoints in middleware of the tower ecosystem; what is added last sees a request first.
    ///
    /// What a layer fails with, the caller is told, as a [`Status`] is made of it: a `Status` as it is, tower's `Elapsed`
    /// as `DeadlineExceeded`, its `Overloaded` as `ResourceExhausted`, and anything else as `Internal`.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Routes> + Send + 'static,
        L::Service: tower::Service<Request, Response = Response> + Clone + Send + Sync + 'static,
        <L::Service as tower::Service<Request>>::Error: Into<BoxError> + 'static,
        <L::Service as tower::Service<Request>>::Future: Send + 'static,
    {
        self.layers.push(layer);
        self
    }

    /// Handles every event of a type, on its own topic: `async fn(Context, Greeted) -> Result<(), Status>`.
    ///
    /// As [`subscribe`](ServiceBuilder::subscribe) in all else.
    pub fn on<E, F, Fut>(self, handler: F) -> Self
    where
        E: TypedEvent,
        F: Fn(Context, E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Status>> + Send + 'static,
    {
        self.subscribe(E::TOPIC, handler)
    }

    /// Handles events of a type, on its own topic, by options.
    pub fn on_with<E, F, Fut>(self, options: SubscriberOptions, handler: F) -> Self
    where
        E: TypedEvent,
        F: Fn(Context, E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Status>> + Send + 'static,
    {
        self.subscribe_with(E::TOPIC, options, handler)
    }

    /// Handles every event of a topic: `async fn(Context, Json<Greeting>) -> Result<(), Status>`.
    ///
    /// The context's metadata are the headers that the publisher set. Events are handled one after the other. One that
    /// does not decode, or whose handler fails or panics, is logged, counted, and told to the
    /// [error handler](ServiceBuilder::on_event_error); the next one is handled all the same.
    pub fn subscribe<E, F, Fut>(self, topic: &str, handler: F) -> Self
    where
        E: Payload,
        F: Fn(Context, E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Status>> + Send + 'static,
    {
        self.subscribe_with(topic, SubscriberOptions::default(), handler)
    }

    /// Handles a share of the events of a topic: each goes to one member of the queue group.
    pub fn subscribe_queue<E, F, Fut>(self, topic: &str, queue: &str, handler: F) -> Self
    where
        E: Payload,
        F: Fn(Context, E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Status>> + Send + 'static,
    {
        self.subscribe_with(topic, SubscriberOptions::default().with_queue(queue), handler)
    }

    /// Handles events of a topic, by options.
    pub fn subscribe_with<E, F, Fut>(self, topic: &str, options: SubscriberOptions, handler: F) -> Self
    where
        E: Payload,
        F: Fn(Context, E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Status>> + Send + 'static,
    {
        self.add_subscriber::<F>(topic, options, events::typed(handler))
    }

    /// Handles events as they come, undecoded and with their topic: for wildcards.
    pub fn subscribe_raw<F, Fut>(self, topic: &str, options: SubscriberOptions, handler: F) -> Self
    where
        F: Fn(Context, Event) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Status>> + Send + 'static,
    {
        self.add_subscriber::<F>(topic, options, events::raw(handler))
    }

    /// Tells this function of events that come to nothing, of all subscriptions without
    /// [an error handler of their own](SubscriberOptions::with_error_handler), in whatever order they are added.
    ///
    /// ```
    /// use micro::prelude::*;
    /// use micro::FailedEvent;
    ///
    /// /// Keeps what nobody could handle, for somebody to look at.
    /// async fn keep(publisher: Publisher, failed: FailedEvent) {
    ///     let kept = publisher.publish_to("dead.letters", failed.event.body()).await;
    ///     if let Err(error) = kept {
    ///         eprintln!("lost for good: {error}");
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> micro::Result<()> {
    /// # let publisher = Service::builder("other").start().await?.publisher();
    /// let service = Service::builder("billing").on_event_error(move |_, failed| keep(publisher.clone(), failed));
    /// # service.start().await?.shutdown().await?; Ok(()) }
    /// ```
    pub fn on_event_error<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(Context, FailedEvent) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.event_errors = Some(events::failure_handler(handler));
        self
    }

    fn add_subscriber<F>(mut self, topic: &str, options: SubscriberOptions, handler: Handler) -> Self {
        self.subscribers
            .push(Subscriber::new::<F>(topic, options, handler));
        self
    }
}
