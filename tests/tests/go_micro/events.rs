//! Captured events, said to subscribers of ours; and what a publisher of ours says, beside what a Go client said.

use futures::StreamExt as _;
use micro::{
    Backends, BackendsConfig, Context, Event, Headers, Json, PluginChoice, Proto, Service, Status,
    SubscribeOptions, Subscription, default_plugins,
};
use micro_conformance::nats_server::NatsServer;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::capture::{Captured, Envelope, LIMIT, captured, subscribed};
use crate::service::Req;

fn nats(server: &NatsServer) -> PluginChoice {
    PluginChoice::new("nats").with_addresses(&server.url())
}

async fn backends(server: &NatsServer) -> Backends {
    let mut config = BackendsConfig::default();
    config.broker = nats(server);
    Backends::open("events", &config, &default_plugins())
        .await
        .unwrap()
}

fn events() -> Vec<Captured> {
    let all = [captured("v6"), captured("v2")].concat();
    let events = all
        .into_iter()
        .filter(|message| message.subject.starts_with("events."));
    events.collect()
}

/// Every event that was captured comes as it was said, and what is none is told as an error.
#[tokio::test]
async fn captured_events_reach_a_subscriber() {
    let server = NatsServer::start().await;
    let backends = backends(&server).await;
    let options = SubscribeOptions::default();
    let mut subscription = backends.broker().subscribe("events.*", options).await.unwrap();
    let raw = async_nats::connect(server.url()).await.unwrap();
    let mut unreadable = 0;
    for message in events() {
        let payload = message.payload.clone().into();
        raw.publish(message.subject.clone(), payload).await.unwrap();
        match next(&mut subscription).await {
            Ok(event) => same_event(&message, &event),
            Err(error) => {
                assert_eq!(
                    (message.payload.as_str(), error.kind()),
                    ("not json", micro::ErrorKind::Malformed)
                );
                unreadable += 1;
            }
        }
    }
    assert_eq!((events().len(), unreadable), (11, 1));
}

async fn next(subscription: &mut Subscription) -> micro::Result<Event> {
    let event = tokio::time::timeout(LIMIT, subscription.recv()).await;
    event.expect("an event").unwrap()
}

/// Member names in any case, and what is absent or null is empty.
fn same_event(message: &Captured, event: &Event) {
    let payload: Value = serde_json::from_str(&message.payload).unwrap();
    let member = |name: &str| {
        let mut members = payload.as_object().unwrap().iter();
        members.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then(|| value.clone()))
    };
    let header = member("Header")
        .filter(|header| !header.is_null())
        .unwrap_or(json!({}));
    let came: serde_json::Map<_, _> = event
        .headers()
        .iter()
        .map(|(k, v)| (k.to_owned(), json!(v)))
        .collect();
    assert_eq!(
        (&event.topic[..], Value::from(came)),
        (&message.subject[..], header),
        "{}",
        message.payload
    );
    let body = Envelope::read(
        json!({ "Header": {}, "Body": member("Body") })
            .to_string()
            .as_bytes(),
    );
    assert_eq!(event.body().to_vec(), body.unwrap().body, "{}", message.payload);
}

/// A typed subscriber gets those of its type. One that says no content type is taken for what the subscriber reads; a
/// go-micro subscriber takes it for protobuf.
#[tokio::test]
async fn captured_events_are_decoded_by_their_content_type() {
    let server = NatsServer::start().await;
    let (tell, mut told) = mpsc::channel(16);
    let tell_pb = tell.clone();
    let service = Service::builder("listener")
        .broker_plugin(nats(&server))
        .subscribe(
            "events.hello",
            move |context: Context, Json(Req { name }): Json<Req>| {
                let foo = context.metadata().get("Foo").unwrap_or_default().to_owned();
                let tell = tell.clone();
                async move {
                    tell.send((name, foo))
                        .await
                        .map_err(|_| Status::internal("nobody listens"))
                }
            },
        )
        .subscribe("events.pb", move |_: Context, Proto(name): Proto<String>| {
            let tell = tell_pb.clone();
            async move {
                tell.send((name, "pb".to_owned()))
                    .await
                    .map_err(|_| Status::internal("nobody listens"))
            }
        })
        .start()
        .await
        .unwrap();
    let raw = async_nats::connect(server.url()).await.unwrap();
    for message in events() {
        raw.publish(message.subject.clone(), message.payload.clone().into())
            .await
            .unwrap();
    }
    let mut heard = Vec::new();
    for _ in 0..5 {
        heard.push(
            tokio::time::timeout(LIMIT, told.recv())
                .await
                .expect("an event")
                .unwrap(),
        );
    }
    heard.sort_unstable();
    let expected = [
        ("ctonly", ""),
        ("ev", "bar"),
        ("evt", "bar"),
        ("evt", "pb"),
        ("nohdr", ""),
    ];
    assert_eq!(
        heard,
        expected.map(|(name, foo)| (name.to_owned(), foo.to_owned()))
    );
    assert_eq!(service.events().undecodable, 0);
}

/// The same headers and the same body as a Go client publishes; the id is a uuid of its own.
#[tokio::test]
async fn our_events_are_written_as_go_writes_them() {
    let server = NatsServer::start().await;
    let backends = backends(&server).await;
    let raw = async_nats::connect(server.url()).await.unwrap();
    let mut heard = subscribed(&raw, "events.*").await;
    for theirs in events().iter().filter(|message| message.step.contains("publish")) {
        let Some(envelope) = theirs
            .envelope()
            .filter(|theirs| theirs.get("Micro-ID").is_some())
        else {
            continue;
        };
        let headers = Headers::from_iter([("Foo", "bar")]);
        let publisher = backends.publisher();
        match envelope.get("Content-Type") {
            Some("application/json") => {
                let event = Json(envelope.meant());
                publisher
                    .publish_with(&theirs.subject, &event, headers)
                    .await
                    .unwrap();
            }
            _ => {
                let event = Proto("evt".to_owned());
                publisher
                    .publish_with(&theirs.subject, &event, headers)
                    .await
                    .unwrap();
            }
        }
        let message = tokio::time::timeout(LIMIT, heard.next())
            .await
            .expect("an event")
            .unwrap();
        let ours = Envelope::read(&message.payload).unwrap();
        let all = |envelope: &Envelope| envelope.names(|_| true);
        assert_eq!(all(&ours), all(&envelope));
        for name in all(&envelope).iter().filter(|name| *name != "Micro-ID") {
            assert_eq!(ours.get(name), envelope.get(name), "{name}");
        }
        assert_eq!(
            ours.get("Micro-ID").unwrap().len(),
            envelope.get("Micro-ID").unwrap().len()
        );
        assert_eq!(ours.body, envelope.body);
    }
}
