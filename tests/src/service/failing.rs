//! Events of types that know their topic, and events that come to nothing.

use micro::{Context, EventFailure, FailedEvent, Publisher, Service, ServiceBuilder, SubscriberOptions};
use micro_core::{ErrorKind, Headers, Message, Status};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::ServiceWorld;
use super::process::Process;

/// An order, in either codec.
#[micro::event(topic = "orders.placed", codec = "json, protobuf")]
#[derive(Clone, PartialEq, micro::prost::Message, Serialize, Deserialize)]
#[prost(prost_path = "micro::prost")]
struct Order {
    #[prost(uint64, tag = "1")]
    number: u64,
    #[prost(string, tag = "2")]
    item: String,
}

fn order(number: u64) -> Order {
    let item = "tea".to_owned();
    Order { number, item }
}

type Done = std::future::Ready<Result<(), Status>>;
type Heard = mpsc::UnboundedReceiver<(Context, Order)>;
type Told = mpsc::UnboundedReceiver<(Context, FailedEvent)>;

/// A handler that hands on what it got; number 1 fails, and number 2 panics.
fn subscriber() -> (impl Fn(Context, Order) -> Done, Heard) {
    let (sender, heard) = mpsc::unbounded_channel();
    let handler = move |context: Context, order: Order| {
        assert_ne!(order.number, 2, "on purpose");
        std::future::ready(match order.number {
            1 => Err(Status::internal("on purpose")),
            _ => sender
                .send((context, order))
                .map_err(|_| Status::internal("the clause has ended")),
        })
    };
    (handler, heard)
}

/// An error handler that hands on what it is told.
fn teller() -> (impl Fn(Context, FailedEvent) -> std::future::Ready<()>, Told) {
    let (sender, told) = mpsc::unbounded_channel();
    let handler = move |context, failed| {
        // A clause that has ended wants to know no more.
        let _ = sender.send((context, failed));
        std::future::ready(())
    };
    (handler, told)
}

async fn start(world: &ServiceWorld, add: impl FnOnce(ServiceBuilder) -> ServiceBuilder) -> Service {
    let service = Process::open(world).await.service("test");
    add(service).start().await.unwrap()
}

/// What is published of a type arrives at whoever subscribes to the type, with the metadata of its publisher.
pub async fn an_event_knows_its_topic(world: &ServiceWorld) {
    let (handler, mut heard) = subscriber();
    let (member, mut shared) = subscriber();
    let queue = SubscriberOptions::default().with_queue("billing");
    let _service = start(world, |service| service.on(handler).on_with(queue, member)).await;
    let parent = Context::new().with_metadata(Headers::from_iter([("Tenant", "a")]));
    let publisher = Publisher::new(Process::open(world).await.broker).context(&parent);
    publisher.publish(&order(7)).await.unwrap();
    for heard in [&mut heard, &mut shared] {
        let (context, event) = heard.recv().await.unwrap();
        assert_eq!((context.metadata().get("Tenant"), event), (Some("a"), order(7)));
    }
}

/// An event is read by its content type, and without one in the codec of its type.
pub async fn an_event_is_read_by_its_content_type(world: &ServiceWorld) {
    let (handler, mut heard) = subscriber();
    let _service = start(world, |service| service.on(handler)).await;
    let broker = Process::open(world).await.broker;
    let protobuf = micro::prost::Message::encode_to_vec(&order(7));
    let json = r#"{"number":7,"item":"tea"}"#;
    for (content_type, body) in [
        (Some("application/protobuf"), protobuf),
        (Some("application/json; charset=utf-8"), json.into()),
        (None, json.into()),
    ] {
        let message = Message::new(body);
        let message = match content_type {
            Some(content_type) => message.with_header("Content-Type", content_type),
            None => message,
        };
        broker.publish("orders.placed", message).await.unwrap();
        assert_eq!(heard.recv().await.unwrap().1, order(7), "{content_type:?}");
    }
}

/// Whatever an event fails on, the error handler gets it as it came, with the reason; the next event is handled.
pub async fn what_fails_is_told_with_the_event(world: &ServiceWorld) {
    let (handler, mut heard) = subscriber();
    let (errors, mut told) = teller();
    let service = start(world, |service| service.on(handler).on_event_error(errors)).await;
    let broker = Process::open(world).await.broker;
    let mut failure = async |content_type: &'static str, body: &'static str| {
        let message = Message::new(body).with_header("Content-Type", content_type);
        let message = message.with_header("Tenant", "a");
        broker.publish("orders.placed", message).await.unwrap();
        let (context, failed) = told.recv().await.unwrap();
        assert_eq!(context.metadata().get("Tenant"), Some("a"));
        let event = failed.event;
        assert_eq!(
            (event.topic.as_str(), &event.body()[..]),
            ("orders.placed", body.as_bytes())
        );
        assert_eq!(event.headers().get("Content-Type"), Some(content_type));
        failed.failure
    };
    let json = "application/json";
    for (content_type, body, kind) in [
        (json, "{", ErrorKind::Malformed),
        (json, r#"{"number":-7,"item":"tea"}"#, ErrorKind::Malformed),
        ("application/protobuf", "\u{7f}", ErrorKind::Malformed),
        ("text/csv", "7,tea", ErrorKind::Unsupported),
    ] {
        match failure(content_type, body).await {
            EventFailure::Undecodable(error) => assert_eq!(error.kind(), kind, "{content_type} {body}"),
            other => panic!("{other:?}"),
        }
    }
    match failure(json, r#"{"number":1,"item":"tea"}"#).await {
        EventFailure::Failed(status) => assert_eq!(status, Status::internal("on purpose")),
        other => panic!("{other:?}"),
    }
    match failure(json, r#"{"number":2,"item":"tea"}"#).await {
        EventFailure::Panicked(words) => assert!(words.contains("on purpose"), "{words}"),
        other => panic!("{other:?}"),
    }
    Publisher::new(broker).publish(&order(7)).await.unwrap();
    assert_eq!(heard.recv().await.unwrap().1, order(7));
    let counts = service.events();
    assert_eq!((counts.failed, counts.undecodable), (2, 4));
}

/// A subscription's own error handler is told in place of the service's, and one that panics ends nothing.
pub async fn a_subscription_has_an_error_handler_of_its_own(world: &ServiceWorld) {
    let ((first, mut heard), (second, mut other)) = (subscriber(), subscriber());
    let (own, mut told) = teller();
    let own = SubscriberOptions::default().with_error_handler(own);
    let panicking = |_, failed: FailedEvent| async move { panic!("on purpose, of {}", failed.event.topic) };
    let service = start(world, |service| {
        let service = service.on_event_error(panicking).on(first);
        service.on_with(own, second)
    });
    let service = service.await;
    let publisher = Publisher::new(Process::open(world).await.broker);
    publisher.publish(&order(1)).await.unwrap();
    publisher.publish(&order(7)).await.unwrap();
    let (_, failed) = told.recv().await.unwrap();
    assert!(matches!(failed.failure, EventFailure::Failed(_)), "{failed:?}");
    for heard in [&mut heard, &mut other] {
        assert_eq!(heard.recv().await.unwrap().1, order(7));
    }
    assert_eq!(service.events().failed, 2);
}

/// Who needs a failed event to come again is told at the start when the broker cannot do that.
pub async fn redelivery_is_refused_where_the_broker_cannot(world: &ServiceWorld) {
    let process = Process::open(world).await;
    let (handler, _heard) = subscriber();
    let options = SubscriberOptions::default().with_redelivery();
    let started = process.service("test").on_with(options, handler).start().await;
    match process.broker.capabilities().redelivery {
        true => drop(started.unwrap()),
        false => {
            let error = started.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains("orders.placed"), "{error}");
            process.until_gone("test").await;
        }
    }
}
