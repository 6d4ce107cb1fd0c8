//! A service that stops while go-micro peers, which try no other node, have not heard of it yet.

use async_nats::Client;
use micro_conformance::nats_server::NatsServer;
use serde_json::json;

use crate::bad_input::request;
use crate::capture::{next, subscribed};
use crate::service::{V6, greeter};

#[tokio::test]
async fn a_go_caller_that_has_not_heard_of_the_end_is_answered() {
    let server = NatsServer::start().await;
    let service = greeter(&server, V6).await;
    let address = service.address().to_string();
    let nats = async_nats::connect(server.url()).await.unwrap();
    let inbox = nats.new_inbox();
    let mut answers = subscribed(&nats, &inbox).await;
    let mut changes = subscribed(&nats, "micro.nats.watch").await;
    ask(&nats, &address, &inbox, "before").await;
    assert_eq!(next(&mut answers).await.get("Micro-Error"), None);

    let stopping = tokio::spawn(service.shutdown());
    let change = futures::StreamExt::next(&mut changes).await.unwrap();
    assert!(change.payload.ends_with(br#""Action":"delete"}"#));
    ask(&nats, &address, &inbox, "late").await;
    let answer = next(&mut answers).await;
    assert_eq!(
        (answer.get("Micro-ID"), answer.get("Micro-Error")),
        (Some("late"), None)
    );
    assert_eq!(answer.meant(), json!({ "msg": "Hello Ann" }));

    let report = stopping.await.unwrap().unwrap();
    assert_eq!(report.requests_cut, 0);
    let gone = nats
        .request(address, request("after", json!({})).write().into())
        .await;
    assert_eq!(
        gone.unwrap_err().kind(),
        async_nats::client::RequestErrorKind::NoResponders
    );
}

/// Asks as a go-micro client does.
async fn ask(nats: &Client, address: &str, inbox: &str, id: &str) {
    let payload = request(id, json!({ "Micro-Method": "Greeter.Hello" })).write();
    nats.publish_with_reply(address.to_owned(), inbox.to_owned(), payload.into())
        .await
        .unwrap();
}
