//! The names of spans' fields, of metrics and of their labels, beside the tables of OpenTelemetry's conventions, as the
//! crate `opentelemetry-semantic-conventions` has them.

use std::collections::BTreeSet;

use micro::prelude::*;
use opentelemetry_semantic_conventions::{attribute, metric};

use crate::exported::Exported;
use crate::measured::Measured;
use crate::world::World;

/// Fields and labels that the conventions have.
const FIELDS: &[&str] = &[
    attribute::ERROR_TYPE,
    attribute::MESSAGING_CONSUMER_GROUP_NAME,
    attribute::MESSAGING_DESTINATION_NAME,
    attribute::MESSAGING_DESTINATION_TEMPLATE,
    attribute::MESSAGING_MESSAGE_BODY_SIZE,
    attribute::MESSAGING_MESSAGE_ID,
    attribute::MESSAGING_OPERATION_NAME,
    attribute::MESSAGING_OPERATION_TYPE,
    attribute::MESSAGING_SYSTEM,
    attribute::RPC_METHOD,
    attribute::RPC_METHOD_ORIGINAL,
    attribute::RPC_RESPONSE_STATUS_CODE,
    attribute::RPC_SYSTEM_NAME,
    attribute::SERVER_ADDRESS,
];

/// Metrics that the conventions have, with their units.
const METRICS: &[(&str, &str)] = &[
    (metric::MESSAGING_CLIENT_CONSUMED_MESSAGES, "1"),
    (metric::MESSAGING_CLIENT_SENT_MESSAGES, "1"),
    (metric::MESSAGING_PROCESS_DURATION, "s"),
    (metric::RPC_CLIENT_CALL_DURATION, "s"),
    (metric::RPC_SERVER_CALL_DURATION, "s"),
];

/// Metrics for which they have no name: ours, in the form of theirs.
const OURS: &[&str] = &[
    "messaging.process.active_messages",
    "rpc.client.active_requests",
    "rpc.client.calls",
    "rpc.server.active_requests",
    "rpc.server.calls",
];

/// Fields that the layer of `tracing` adds, or reads.
fn is_the_layers(field: &str) -> bool {
    ["code.", "thread.", "otel.", "busy_ns", "idle_ns", "target"]
        .iter()
        .any(|prefix| field.starts_with(prefix))
}

/// Calls that go well and ill, and an event to a queue group and to a wildcard.
async fn work(world: &World) {
    let half = |_: Context, Json(number): Json<u32>| async move {
        match number % 2 {
            0 => Ok(Json(number / 2)),
            _ => Err(Status::internal("odd")),
        }
    };
    let (heard, mut told) = tokio::sync::mpsc::channel(2);
    let again = heard.clone();
    let service = world
        .service("math")
        .serve(Router::new().unary("Math.Half", half))
        .subscribe("halves.*", move |_: Context, Json(()): Json<()>| {
            let heard = heard.clone();
            async move { heard.send(()).await.map_err(|_| Status::internal("gone")) }
        })
        .subscribe_queue(
            "halves.made",
            "listeners",
            move |_: Context, Json(()): Json<()>| {
                let heard = again.clone();
                async move { heard.send(()).await.map_err(|_| Status::internal("gone")) }
            },
        );
    let service = service.start().await.unwrap();
    for number in 0..2_u32 {
        let call = service
            .client()
            .unary::<_, Json<u32>>("math", "Math.Half", Json(number));
        assert_eq!(call.await.is_ok(), number == 0);
    }
    let unknown = service
        .client()
        .unary::<_, Json<()>>("math", "Math.Third", Json(()));
    assert_eq!(unknown.await.unwrap_err().code(), Code::Unimplemented);
    service.publish_to("halves.made", &Json(())).await.unwrap();
    for _ in 0..2 {
        told.recv().await.unwrap();
    }
    // Whatever has begun ends before this does.
    service.shutdown().await.unwrap();
}

/// Every field of every span, and the metrics that conventions have, are named as these have them.
pub(crate) async fn names_are_those_of_the_conventions(world: &World) {
    let (exported, measured) = (Exported::here(), Measured::here());
    work(world).await;
    let mut seen = BTreeSet::new();
    for span in exported.ended() {
        let fields = span.attributes.iter().map(|field| field.key.to_string());
        seen.extend(fields.filter(|field| !is_the_layers(field)));
    }
    // What is special to micro has a namespace of its own.
    let is_special = |name: &str| name.starts_with("micro.");
    for series in measured
        .all()
        .into_iter()
        .filter(|series| !is_special(&series.name))
    {
        let known = METRICS.iter().find(|(name, _)| *name == series.name);
        match known {
            Some((name, unit)) => assert!(*unit == series.unit || *unit == "1", "{name}: {series:?}"),
            None => assert!(OURS.contains(&&*series.name), "{series:?}"),
        }
        seen.extend(series.labels.into_iter().map(|(label, _)| label));
    }
    let known: BTreeSet<String> = FIELDS.iter().map(|field| (*field).to_owned()).collect();
    assert_eq!(seen, known);
    let all = measured.all();
    for (name, _) in METRICS {
        assert!(all.iter().any(|series| series.name == *name), "{name}: {all:#?}");
    }
}
