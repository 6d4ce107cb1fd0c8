//! Bad input, limits, and nodes that are not there.

use std::time::Instant;

use bytes::Bytes;
use micro_conformance::nats_server::NatsServer;
use micro_core::registry::RegisterOptions;
use micro_core::{Code, Context, Json, Node, PluginConfig, Router, ServiceRecord};
use nats_common::{Connection, Outgoing};

use crate::{AT_ONCE, LIMIT, caller, caller_with, double, elsewhere, hearing, service_with, until_heard};

/// What nobody who speaks properly says.
fn garbage() -> Vec<Bytes> {
    let mut garbage: Vec<Bytes> = [
        "null", "", "{", "{}", "[]", "0", "\"text\"", "\u{0}", "true", "[null]", "{\"Header\":null}",
        "{\"Header\":{},\"Body\":null}", "{\"Header\":{\"Micro-Endpoint\":\"Test.Double\"},\"Body\":\"not base64!\"}",
        "{\"Header\":{\"Micro-Endpoint\":1},\"Body\":\"\"}", "{\"Header\":[],\"Body\":\"\"}", "{\"Body\":\"MQ\"}",
        "{\"Action\":\"get\"}", "{\"Action\":\"create\"}", "{\"Action\":\"delete\",\"Service\":null}",
        "{\"Service\":null,\"Action\":\"get\"}", "{\"Service\":{},\"Action\":\"create\"}",
        "{\"Service\":{\"name\":\"\"},\"Action\":\"get\"}", "{\"Service\":{\"name\":\"test\"},\"Action\":\"\"}",
        "{\"Service\":{\"name\":\"test\",\"nodes\":[null]},\"Action\":\"create\"}",
        "{\"Service\":{\"name\":\"test\",\"nodes\":[{}]},\"Action\":\"create\"}",
        "{\"Service\":{\"name\":\"test\",\"nodes\":[{\"id\":\"x\",\"address\":null}]},\"Action\":\"update\"}",
        "{\"Service\":{\"name\":\"two words\",\"nodes\":[{\"id\":\"x\",\"address\":\"y\"}]},\"Action\":\"create\"}",
        "{\"name\":null,\"nodes\":null}", "{\"Service\":\"test\",\"Action\":\"list\"}",
    ]
    .map(Bytes::from)
    .to_vec();
    garbage.push(Bytes::from_static(b"\xff\xfe\x00"));
    garbage.push(vec![b'['; 100_000].into());
    garbage.push(vec![b'{'; 100_000].into());
    garbage.push(vec![0; 4096].into());
    garbage
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_on_any_subject_is_survived() {
    let server = NatsServer::start().await;
    let (service, mut heard) = hearing(&server.address()).await;
    let caller = caller(&elsewhere(&server)).await;
    assert_eq!(double(caller.client(), 21).await, Ok(42));
    let hostile = Connection::open(&PluginConfig::default().with_addresses(&server.address()))
        .await
        .unwrap();
    let address = service.address().to_owned();
    let subjects = [
        &*address,
        "numbers",
        "micro.nats.query",
        "micro.nats.watch",
        "micro.registry.nats.query",
        "micro.registry.nats.watch",
    ];
    for subject in subjects {
        for payload in garbage() {
            let said = Outgoing::new(subject.to_owned(), payload);
            hostile.publish(said.clone()).await.unwrap();
            hostile
                .publish(said.with_reply(hostile.unique_subject()))
                .await
                .unwrap();
        }
        hostile.fence().await.unwrap();
        for number in 0..10 {
            assert_eq!(
                double(caller.client(), number).await,
                Ok(number * 2),
                "after garbage on {subject}"
            );
        }
    }
    let found = caller.registry().get("test").await.unwrap();
    let ids: Vec<_> = found
        .iter()
        .flat_map(|record| &record.nodes)
        .map(|node| &*node.id)
        .collect();
    assert_eq!(ids, [service.id()]);
    let late = crate::caller(&server.url()).await;
    assert_eq!(double(late.client(), 21).await, Ok(42));
    until_heard(&caller, &mut heard).await;
    assert!(service.health().is_ok());
}

#[tokio::test]
async fn a_node_that_is_gone_is_told_in_milliseconds() {
    let server = NatsServer::start().await;
    let caller = caller(&server.address()).await;
    let node = Node::new("gone", "_INBOX.nobody").with_metadata("protocol", "mucp");
    let record = ServiceRecord::new("test", "1").with_node(node);
    caller
        .registry()
        .register(&record, RegisterOptions::default())
        .await
        .unwrap();
    // The first call also finds the node.
    for _ in 0..5 {
        let start = Instant::now();
        let status = double(caller.client(), 1).await.unwrap_err();
        println!("told after {:?}", start.elapsed());
        assert_eq!(status.code(), Code::Unavailable, "{status}");
        assert!(status.is_never_delivered());
        assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
    }
    let start = Instant::now();
    let call = caller
        .client()
        .unary::<_, Json<u64>>("nobody", "Test.Double", Json(1_u64));
    assert_eq!(call.await.unwrap_err().code(), Code::NotFound);
    println!("an unknown service: {:?}", start.elapsed());
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_takes_limits_calls_in_envelopes_and_no_others() {
    let server = NatsServer::builder().config("max_payload: 64KB").start().await;
    for (query, limit) in [
        ("", 65 << 20),
        ("?max_message_size=80000", 79_000),
        ("?encoding=go-micro", 45_000),
    ] {
        sizes_are_limited(&server, query, limit).await;
    }
}

async fn sizes_are_limited(server: &NatsServer, query: &str, limit: usize) {
    let text = |size: usize| Json("x".repeat(size));
    let router = Router::new()
        .unary("Size.Of", |_: Context, Json(text): Json<String>| async move {
            Ok(Json(text.len()))
        })
        .unary(
            "Size.Make",
            move |_: Context, Json(size): Json<usize>| async move { Ok(text(size)) },
        );
    let transport = format!("{}{query}", server.address());
    let _service = service_with("test", &server.address(), &transport)
        .serve(router)
        .start()
        .await
        .unwrap();
    let caller = caller_with(&elsewhere(server), &format!("{}{query}", elsewhere(server))).await;
    for size in [40_000, 60_000, 100_000, 1_000_000] {
        let refused = (size > limit).then_some(Code::ResourceExhausted);
        let call = caller
            .client()
            .unary::<_, Json<usize>>("test", "Size.Of", text(size))
            .timeout(LIMIT);
        let sent = call.await.map(|Json(size)| size).map_err(|status| status.code());
        assert_eq!(sent, refused.map_or(Ok(size), Err), "{query}");
        let call = caller
            .client()
            .unary::<_, Json<String>>("test", "Size.Make", Json(size))
            .timeout(LIMIT);
        let made = call
            .await
            .map(|Json(text)| text.len())
            .map_err(|status| status.code());
        assert_eq!(made, refused.map_or(Ok(size), Err), "{query}");
    }
    let call = caller.client().unary("test", "Size.Of", text(21));
    assert_eq!(call.await, Ok(Json(21)));
}
