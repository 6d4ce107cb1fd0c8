//! A trace in W3C's headers, where nobody exports spans.

use micro::{Service, SubscriberOptions};
use micro_core::{Context, Event, Headers, Json, Router, Status, Streaming};
use tokio::sync::mpsc;

use super::ServiceWorld;
use super::process::{PATIENCE, Process};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const STATE: &str = "vendor=opaque";

/// What the last in the chain heard of the trace.
type Heard = mpsc::Receiver<(Option<String>, Option<String>)>;

/// A service that calls another, which publishes an event, of whose trace a third tells. The last three are there for
/// as long as they are held.
async fn chain(world: &ServiceWorld) -> (Heard, Service, [Service; 2]) {
    let (sender, heard) = mpsc::channel(4);
    let listener = move |context: Context, _: Event| {
        let headers = context.metadata();
        let said = ["traceparent", "tracestate"].map(|name| headers.get(name).map(str::to_owned));
        let sender = sender.clone();
        async move {
            let closed = |_| Status::internal("the clause has ended");
            sender.send(said.into()).await.map_err(closed)
        }
    };
    let third = Process::open(world).await.service("third");
    let third = third.subscribe_raw("told", SubscriberOptions::default(), listener);
    let second = Process::open(world).await;
    let publisher = micro::Publisher::new(second.broker.clone());
    let tell = move |context: Context, Json(()): Json<()>| {
        let publisher = publisher.clone();
        async move {
            publisher.context(&context).publish_to("told", &Json(())).await?;
            Ok(Json(()))
        }
    };
    let second = second
        .service("second")
        .serve(Router::new().unary("Test.Tell", tell));
    let first = Process::open(world).await;
    let client = first.client();
    let ask = move |context: Context, Json(()): Json<()>| {
        let call = client.unary::<_, Json<()>>("second", "Test.Tell", Json(()));
        async move { call.context(&context).await }
    };
    let first = first.service("first").serve(Router::new().unary("Test.Ask", ask));
    let others = [third.start().await.unwrap(), second.start().await.unwrap()];
    (heard, first.start().await.unwrap(), others)
}

async fn ask(first: &Service, headers: Headers) {
    let context = Context::new().with_metadata(headers);
    let call = first.client().unary::<_, Json<()>>("first", "Test.Ask", Json(()));
    call.context(&context).timeout(PATIENCE).await.unwrap();
}

/// A trace goes on unchanged through calls within calls and the events that they publish.
pub async fn a_trace_is_handed_on(world: &ServiceWorld) {
    let (mut heard, first, _others) = chain(world).await;
    ask(
        &first,
        Headers::from_iter([("traceparent", PARENT), ("tracestate", STATE)]),
    )
    .await;
    let (parent, state) = heard.recv().await.unwrap();
    assert_eq!((parent.as_deref(), state.as_deref()), (Some(PARENT), Some(STATE)));
}

/// The parent that a handler was told.
fn parent(context: &Context) -> Json<String> {
    Json(
        context
            .metadata()
            .get("traceparent")
            .unwrap_or_default()
            .to_owned(),
    )
}

/// Streams carry it as calls of one message do, in all three kinds.
pub async fn a_trace_is_handed_on_by_streams(world: &ServiceWorld) {
    let router = Router::new()
        .server_stream("Test.Answers", |context: Context, Json(()): Json<()>| async move {
            Ok(Streaming::from_iter([parent(&context)]))
        })
        .client_stream(
            "Test.Requests",
            |context: Context, _: Streaming<Json<()>>| async move { Ok(parent(&context)) },
        )
        .bidi_stream("Test.Both", |context: Context, _: Streaming<Json<()>>| async move {
            Ok(Streaming::from_iter([parent(&context)]))
        });
    let service = Process::open(world).await.service("streams").serve(router);
    let service = service.start().await.unwrap();
    let caller = Process::open(world).await.client();
    let context = Context::new()
        .with_header("traceparent", PARENT)
        .with_timeout(PATIENCE);
    let one = || Streaming::from_iter([Json(())]);
    let answers = caller.server_stream::<_, Json<String>>("streams", "Test.Answers", Json(()));
    let both = caller.bidi_stream::<_, Json<String>>("streams", "Test.Both", one());
    let told = [answers.context(&context).await, both.context(&context).await];
    for answers in told {
        let told = answers.unwrap().collect().await.unwrap();
        assert_eq!(told, [Json(PARENT.to_owned())]);
    }
    let requests = caller.client_stream::<_, Json<String>>("streams", "Test.Requests", one());
    assert_eq!(requests.context(&context).await.unwrap(), Json(PARENT.to_owned()));
    drop(service);
}

/// Where no trace came, there is none, unless somebody exports spans.
pub async fn no_trace_is_made_up(world: &ServiceWorld) {
    let (mut heard, first, _others) = chain(world).await;
    ask(&first, Headers::from_iter([("Tenant", "a")])).await;
    assert_eq!(heard.recv().await, Some((None, None)));
}
