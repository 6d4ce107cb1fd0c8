//! One trace over several services.

use std::future::IntoFuture;

use micro::observe::TraceContext;
use micro::prelude::*;
use micro::{Headers, Service};
use opentelemetry::trace::SpanKind::{Client as Caller, Consumer, Internal, Producer, Server};
use tokio::sync::mpsc;
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;
use tracing::{Instrument, info_span};

use crate::exported::{Exported, attribute, is_parent};
use crate::world::World;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

/// `First.Ask` asks `second` for `Second.Tell`, which publishes on `told`, to which `third` listens. They run as long
/// as they are held, with one more that is not traced itself.
async fn chain(world: &World) -> [Service; 4] {
    let third = world.service("third");
    let third = third.subscribe_queue("told", "listeners", |_: Context, Json(()): Json<()>| async {
        Ok(())
    });
    let outside = world.caller().await;
    let publisher = outside.publisher();
    let tell = move |context: Context, Json(()): Json<()>| {
        let publisher = publisher.clone().context(&context);
        // A task of its own, which knows of its trace by the context alone.
        let told = tokio::spawn(async move { publisher.publish_to("told", &Json(())).await });
        async move { Ok(Json(told.await.unwrap()?)) }
    };
    let second = world
        .service("second")
        .serve(Router::new().unary("Second.Tell", tell));
    let client = outside.client().clone();
    let ask = move |context: Context, Json(()): Json<()>| {
        let call = client.unary::<_, Json<()>>("second", "Second.Tell", Json(()));
        async move { call.context(&context).await }.instrument(info_span!("work"))
    };
    let first = world
        .service("first")
        .serve(Router::new().unary("First.Ask", ask));
    let started = [third.start().await, second.start().await, first.start().await];
    let [third, second, first] = started.map(Result::unwrap);
    [first, second, third, outside]
}

async fn ask(caller: &Service, context: &Context) {
    let call = caller
        .client()
        .unary::<_, Json<()>>("first", "First.Ask", Json(()));
    call.context(context).await.unwrap();
}

/// Caller, first service, second service, event, subscriber: each span is the parent of the next.
pub(crate) async fn one_trace_goes_over_services_and_events(world: &World) {
    let exported = Exported::here();
    let services = chain(world).await;
    ask(&services[0], &Context::new()).await;
    let mut parent = exported.span(Caller, "first/First.Ask").await;
    for (kind, name) in [
        (Server, "first/First.Ask"),
        // What a handler puts around a call is between them.
        (Internal, "work"),
        (Caller, "second/Second.Tell"),
        (Server, "second/Second.Tell"),
        (Producer, "publish told"),
        (Consumer, "process told"),
    ] {
        let child = exported.span(kind, name).await;
        assert!(
            is_parent(&parent, &child),
            "{parent:?}\nis not the parent of\n{child:?}"
        );
        parent = child;
    }
    assert_eq!(attribute(&parent, "messaging.system").as_deref(), Some("micro"));
    assert_eq!(
        attribute(&parent, "messaging.destination.name").as_deref(),
        Some("told")
    );
    assert_eq!(
        attribute(&parent, "messaging.consumer.group.name").as_deref(),
        Some("listeners")
    );
    let published = exported.span(Producer, "publish told").await;
    assert_eq!(
        attribute(&published, "messaging.message.id"),
        attribute(&parent, "messaging.message.id")
    );
    assert_eq!(
        attribute(&published, "messaging.message.body.size").as_deref(),
        Some("5")
    );
    assert!(attribute(&published, "error.type").is_none());
}

/// A trace that somebody else began goes on with what its tracer says, also when its headers are capitalised, as by
/// go-micro's peers.
pub(crate) async fn a_trace_that_came_goes_on(world: &World) {
    let exported = Exported::here();
    let (sender, mut heard) = mpsc::channel(1);
    let look = move |context: Context, Json(()): Json<()>| {
        let sender = sender.clone();
        async move {
            sender.send(context).await.unwrap();
            Ok(Json(()))
        }
    };
    let service = world
        .service("looker")
        .serve(Router::new().unary("Test.Look", look));
    let service = service.start().await.unwrap();
    let call = service
        .client()
        .unary::<_, Json<()>>("looker", "Test.Look", Json(()));
    let context = Context::new().with_metadata(trace(["Traceparent", "Tracestate"]));
    // Whoever calls exports nothing.
    let call = call.context(&context).into_future();
    call.with_subscriber(NoSubscriber::default()).await.unwrap();
    let served = exported.span(Server, "looker/Test.Look").await;
    assert_eq!(served.span_context.trace_id().to_string(), TRACE);
    assert_eq!(served.parent_span_id.to_string(), SPAN);
    let context = heard.recv().await.unwrap();
    let place = TraceContext::of(context.metadata()).unwrap();
    assert_eq!(place.span_id(), served.span_context.span_id().to_string());
    assert_eq!((place.trace_id(), place.tracestate()), (TRACE, Some("vendor=1")));
    assert_eq!(context.metadata().len(), 2);
}

/// A call that is made part of another by its context is that in its trace, whatever it is made in.
pub(crate) async fn what_is_handed_on_from_elsewhere_is_part_of_that(world: &World) {
    let exported = Exported::here();
    let services = chain(world).await;
    let context = Context::new().with_metadata(trace(["traceparent", "tracestate"]));
    ask(&services[0], &context)
        .instrument(info_span!("another"))
        .await;
    let called = exported.span(Caller, "first/First.Ask").await;
    assert_eq!(called.span_context.trace_id().to_string(), TRACE);
    assert_eq!(called.parent_span_id.to_string(), SPAN);
    let last = exported.span(Consumer, "process told").await;
    assert_eq!(last.span_context.trace_id().to_string(), TRACE);
}

fn trace(names: [&'static str; 2]) -> Headers {
    let values = [format!("00-{TRACE}-{SPAN}-01"), "vendor=1".to_owned()];
    names.into_iter().zip(values).collect()
}
