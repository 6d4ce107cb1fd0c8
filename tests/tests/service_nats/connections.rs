//! What a process costs its server.

use futures::StreamExt;
use micro_conformance::nats_server::NatsServer;
use serde_json::Value;

use crate::{caller, double, elsewhere, nothing, service};

async fn connections(server: &NatsServer) -> Vec<Value> {
    let page = server.monitor("/connz?subs=1").await;
    page["connections"].as_array().unwrap().clone()
}

#[tokio::test]
async fn flags_choose_the_backends_and_share_one_connection() {
    let server = NatsServer::start().await;
    let service = service("test", &server.address())
        .subscribe("topic", nothing)
        .start()
        .await
        .unwrap();
    let node = &service.record().nodes[0];
    for kind in ["transport", "broker", "registry"] {
        assert_eq!(node.metadata[kind], "nats", "{kind}");
    }
    assert_eq!(double(service.client(), 21).await, Ok(42));
    let connections = connections(&server).await;
    assert_eq!(connections.len(), 1);
    assert!(
        connections[0]["name"].as_str().unwrap().contains("test"),
        "{}",
        connections[0]["name"]
    );
    service.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_use_one_reply_subscription() {
    let server = NatsServer::start().await;
    let _service = service("test", &server.address()).start().await.unwrap();
    let caller = caller(&elsewhere(&server)).await;
    let before = subscriptions(&server, "caller").await;
    let calls = futures::stream::iter(0..10_000).map(async |number| {
        assert_eq!(double(caller.client(), number).await, Ok(number * 2));
    });
    calls.buffer_unordered(64).for_each(async |()| ()).await;
    assert_eq!(connections(&server).await.len(), 2);
    let after = subscriptions(&server, "caller").await;
    println!("before: {before:?}, after: {after:?}");
    let replies = after
        .iter()
        .filter(|subject| subject.starts_with("_INBOX."))
        .count();
    assert_eq!(replies, 1, "{after:?}");
}

/// What the connection of that name subscribes to.
async fn subscriptions(server: &NatsServer, name: &str) -> Vec<String> {
    let connections = connections(server).await;
    let named = |connection: &&Value| {
        connection["name"]
            .as_str()
            .is_some_and(|known| known.contains(name))
    };
    let connection = connections.iter().find(named).expect("a connection of that name");
    let list = connection["subscriptions_list"].as_array();
    list.into_iter()
        .flatten()
        .filter_map(|subject| subject.as_str().map(str::to_owned))
        .collect()
}
