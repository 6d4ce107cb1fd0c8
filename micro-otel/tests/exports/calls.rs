//! What the spans of a call say.

use std::future::IntoFuture;
use std::time::Duration;

use futures::StreamExt;
use micro::prelude::*;
use micro::{Node, Service, ServiceRecord};
use opentelemetry::trace::SpanKind::{Client as Caller, Server};
use opentelemetry::trace::Status as Ended;
use opentelemetry_sdk::trace::SpanData;

use crate::exported::{Exported, attribute, is_parent};
use crate::world::World;

async fn serve(world: &World, router: Router) -> Service {
    world.service("test").serve(router).start().await.unwrap()
}

fn router() -> Router {
    Router::new()
        .unary("Test.Fail", |_: Context, Json(code): Json<u8>| async move {
            Err::<Json<()>, _>(match code {
                0 => Status::not_found("no such thing"),
                _ => Status::internal("a defect"),
            })
        })
        .unary("Test.Never", |_: Context, _: Json<()>| {
            std::future::pending::<Result<Json<()>, Status>>()
        })
        .server_stream("Test.Count", |_: Context, Json(to): Json<u64>| async move {
            Ok((0..to).map(Json).collect::<Streaming<_>>())
        })
        .unary("Test.Double", |_: Context, Json(number): Json<u64>| async move {
            Ok(Json(number * 2))
        })
}

/// The spans of a call at either end, of which one is the parent of the other.
async fn ends(exported: &Exported, method: &str) -> [SpanData; 2] {
    let ends = [
        exported.span(Caller, method).await,
        exported.span(Server, method).await,
    ];
    assert!(is_parent(&ends[0], &ends[1]), "{ends:?}");
    ends
}

/// Method, system, code, and which node it was, by OpenTelemetry's names.
pub(crate) async fn both_ends_describe_a_call(world: &World) {
    let exported = Exported::here();
    let service = serve(world, router()).await;
    let call = service
        .client()
        .unary::<_, Json<u64>>("test", "Test.Double", Json(2_u64));
    assert_eq!(call.await, Ok(Json(4)));
    let ends = ends(&exported, "test/Test.Double").await;
    for span in &ends {
        assert_eq!(attribute(span, "rpc.method").as_deref(), Some("test/Test.Double"));
        assert_eq!(attribute(span, "rpc.system.name").as_deref(), Some("micro"));
        assert_eq!(attribute(span, "rpc.response.status_code").as_deref(), Some("OK"));
        assert_eq!(
            (attribute(span, "error.type"), &span.status),
            (None, &Ended::Unset)
        );
    }
    assert_eq!(
        attribute(&ends[0], "server.address").as_deref(),
        Some(service.address())
    );
}

/// The span of a stream lasts until its last item was read.
pub(crate) async fn a_stream_ends_with_its_last_item(world: &World) {
    let exported = Exported::here();
    let service = serve(world, router()).await;
    let call = service
        .client()
        .server_stream::<_, Json<u64>>("test", "Test.Count", Json(3_u64));
    let mut items = call.await.unwrap();
    assert_eq!(items.next().await, Some(Ok(Json(0))));
    let is_ended = |span: &SpanData| span.span_kind == Caller && span.name == "test/Test.Count";
    assert!(!exported.ended().iter().any(is_ended));
    assert_eq!(items.collect().await.unwrap().len(), 2);
    let ends = ends(&exported, "test/Test.Count").await;
    for span in &ends {
        assert_eq!(attribute(span, "rpc.response.status_code").as_deref(), Some("OK"));
    }
    // One that is dropped before is cancelled.
    let call = service
        .client()
        .server_stream::<_, Json<u64>>("test", "Test.Count", Json(1_000_000_u64));
    let mut items = call.await.unwrap();
    assert!(StreamExt::next(&mut items).await.is_some());
    drop(items);
    loop {
        let codes = codes(&exported, "test/Test.Count");
        if codes.iter().filter(|code| *code == "CANCELLED").count() == 2 {
            break;
        }
        tokio::task::yield_now().await;
    }
}

fn codes(exported: &Exported, method: &str) -> Vec<String> {
    let ended = exported.ended().into_iter().filter(|span| span.name == method);
    ended
        .filter_map(|span| attribute(&span, "rpc.response.status_code"))
        .collect()
}

/// A refusal is an error to its caller alone; a defect is one to both.
pub(crate) async fn a_failure_has_its_code(world: &World) {
    for (input, code, message, both) in [
        (0_u8, "NOT_FOUND", "no such thing", false),
        (1, "INTERNAL", "a defect", true),
    ] {
        let exported = Exported::here();
        let service = serve(world, router()).await;
        let call = service
            .client()
            .unary::<_, Json<()>>("test", "Test.Fail", Json(input));
        assert!(call.await.is_err());
        let [called, served] = ends(&exported, "test/Test.Fail").await;
        for (span, is_error) in [(called, true), (served, both)] {
            assert_eq!(
                attribute(&span, "rpc.response.status_code").as_deref(),
                Some(code)
            );
            let expected = match is_error {
                true => (Some(code.to_owned()), Ended::error(message)),
                false => (None, Ended::Unset),
            };
            assert_eq!((attribute(&span, "error.type"), span.status), expected);
        }
        service.shutdown().await.unwrap();
    }
}

/// A server names what it does not serve by one name for all, since callers can ask for anything.
pub(crate) async fn what_is_not_known_is_other(world: &World) {
    let exported = Exported::here();
    let service = serve(world, router()).await;
    let call = service
        .client()
        .unary::<_, Json<()>>("test", "Test.Unknown", Json(()));
    assert_eq!(call.await.unwrap_err().code(), Code::Unimplemented);
    let served = exported.span(Server, "_OTHER").await;
    assert_eq!(attribute(&served, "rpc.method").as_deref(), Some("_OTHER"));
    assert_eq!(
        attribute(&served, "rpc.method_original").as_deref(),
        Some("Test.Unknown")
    );
}

/// Whoever drops a call, or runs out of time, sees so at both ends.
pub(crate) async fn a_dropped_call_is_cancelled(world: &World) {
    let exported = Exported::here();
    let service = serve(world, router()).await;
    let call = service
        .client()
        .unary::<_, Json<()>>("test", "Test.Never", Json(()));
    let call = tokio::spawn(call.into_future());
    while service.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    call.abort();
    for span in ends(&exported, "test/Test.Never").await {
        assert_eq!(
            attribute(&span, "rpc.response.status_code").as_deref(),
            Some("CANCELLED")
        );
    }
}

/// A node that is gone costs another attempt, in the span of the same call.
pub(crate) async fn another_attempt_is_the_same_span(world: &World) {
    let exported = Exported::here();
    let service = serve(world, router()).await;
    let gone = Node::new("gone", "nobody.is.here");
    let record = ServiceRecord::new("test", service.version()).with_node(gone);
    service
        .registry()
        .register(&record, Default::default())
        .await
        .unwrap();
    for _ in 0..20 {
        let call = service
            .client()
            .unary::<_, Json<u64>>("test", "Test.Double", Json(2_u64));
        assert_eq!(call.timeout(Duration::from_secs(20)).await, Ok(Json(4)));
    }
    let ended = exported
        .ended()
        .into_iter()
        .filter(|span| span.span_kind == Caller);
    let called: Vec<_> = ended.collect();
    assert_eq!(called.len(), 20);
    for span in called {
        assert_eq!(
            attribute(&span, "server.address").as_deref(),
            Some(service.address())
        );
    }
}
