//! Captured answers, said to a client of ours; and what it asked, beside what a Go client asked.

use async_nats::{Client, Subscriber};
use bytes::Bytes;
use futures::StreamExt as _;
use micro::{
    Backends, BackendsConfig, Code, Json, Node, PluginChoice, Proto, ServiceRecord, Status, default_plugins,
};
use micro_conformance::nats_server::NatsServer;
use serde_json::{Value, json};

use crate::capture::{Captured, Envelope, LIMIT, captured, subscribed};
use crate::service::{Req, Rsp};

/// Where the server is said to be.
pub(crate) const ADDRESS: &str = "a.go.server";

#[tokio::test]
async fn captured_answers_of_v6_are_understood() {
    assert!(replay("v6").await >= 15);
}

#[tokio::test]
async fn captured_answers_of_v2_are_understood() {
    assert!(replay("v2").await >= 5);
}

/// A unary request, and the answer that was captured for it.
struct Exchange {
    step: String,
    request: Envelope,
    answer: Envelope,
}

/// Those captured, in order; what a typed client never sends is left out.
fn exchanges(generation: &str) -> Vec<Exchange> {
    let messages = captured(generation);
    let unary = |request: &Envelope| {
        request.get("Micro-Stream").is_none()
            && request.get("Timeout").is_some()
            && request
                .get("Micro-Endpoint")
                .is_some_and(|endpoint| endpoint.contains('.'))
    };
    let answer = |index: usize, asked: &Captured| {
        let rest = messages[index..]
            .iter()
            .filter(|message| message.capture == asked.capture);
        let mut answers = rest.filter(|message| asked.inbox() == Some(message.subject.as_str()));
        answers.next().and_then(Captured::envelope)
    };
    let mut found = Vec::new();
    for (index, asked) in messages.iter().enumerate() {
        let Some(request) = asked.envelope().filter(unary) else {
            continue;
        };
        if let Some(answer) = answer(index, asked) {
            found.push(Exchange {
                step: asked.step.clone(),
                request,
                answer,
            });
        }
    }
    found
}

async fn replay(generation: &str) -> usize {
    let server = NatsServer::start().await;
    let nats = async_nats::connect(server.url()).await.unwrap();
    let mut requests = subscribed(&nats, ADDRESS).await;
    let backends = client(&server).await;
    let exchanges = exchanges(generation);
    for exchange in &exchanges {
        let (outcome, asked) = tokio::join!(
            call(&backends, &exchange.request),
            serve(&nats, &mut requests, exchange)
        );
        same_question(&exchange.step, &exchange.request, &asked);
        same_body(exchange, &asked);
        same_answer(exchange, outcome);
    }
    exchanges.len()
}

/// A client in whose registry the captured server is.
pub(crate) async fn client(server: &NatsServer) -> Backends {
    let mut config = BackendsConfig::default();
    config.transport = PluginChoice::new("nats").with_addresses(&server.url());
    config.registry = config.transport.clone();
    let backends = Backends::open("golden", &config, &default_plugins())
        .await
        .unwrap();
    let node = Node::new("greeter-1", ADDRESS).with_metadata("protocol", "mucp");
    let record = ServiceRecord::new("greeter", "1.0.0").with_node(node);
    backends
        .registry()
        .register(&record, Default::default())
        .await
        .unwrap();
    backends
}

/// Answers the next request as captured, under the id that it has.
async fn serve(nats: &Client, requests: &mut Subscriber, exchange: &Exchange) -> Envelope {
    let message = tokio::time::timeout(LIMIT, requests.next()).await;
    let message = message.expect("a request").unwrap();
    let asked = Envelope::read(&message.payload).unwrap();
    let mut answer = exchange.answer.clone();
    for name in ["Micro-ID", "Micro-Id", "X-Micro-ID", "X-Micro-Id"] {
        if answer.get(name).is_some() {
            answer.header[name] = json!(asked.get("Micro-ID"));
        }
    }
    nats.publish(message.reply.unwrap(), answer.write().into())
        .await
        .unwrap();
    asked
}

/// The call that the captured request was, made with ours.
async fn call(backends: &Backends, request: &Envelope) -> Result<Value, Status> {
    let text = |name: &str| request.get(name).unwrap_or_default().to_owned();
    let (client, endpoint, content_type) = (backends.client(), text("Micro-Endpoint"), text("Content-Type"));
    let service = text("Micro-Service");
    match content_type.as_str() {
        "application/octet-stream" => {
            let body = Bytes::from(request.body.clone());
            let answer: Bytes = client.unary(service, endpoint, body).header("Foo", "bar").await?;
            Ok(json!(answer.to_vec()))
        }
        proto if proto.contains("proto") => {
            let name = Proto("John".to_owned());
            let call = client
                .unary(service, endpoint, name)
                .content_type(content_type)
                .header("Foo", "bar");
            let Proto::<String>(msg) = call.await?;
            Ok(json!(msg))
        }
        _ => {
            let text = String::from_utf8_lossy(&request.body).into_owned();
            let names = ["John", "meta", "raw", "a"];
            let name = names
                .into_iter()
                .find(|name| text.contains(&format!("\"{name}\"")))
                .unwrap()
                .to_owned();
            let call = client.unary(service, endpoint, Json(Req { name }));
            let Json::<Rsp>(rsp) = call.content_type(content_type).header("Foo", "bar").await?;
            Ok(json!(rsp.msg))
        }
    }
}

/// The same headers as a Go client sends, no others, and the same values. The id is ours, and so is the time that is
/// left; ours is said in both spellings, and a stream's deadline always.
pub(crate) fn same_question(about: &str, theirs: &Envelope, ours: &Envelope) {
    // The names that go-micro's gRPC codec adds, and reads past, begin otherwise.
    let named =
        |envelope: &Envelope| envelope.names(|name| name.starts_with(|c: char| c.is_ascii_uppercase()));
    let allowed = |name: &str| matches!(name, "Micro-ID" | "Micro-Id" | "Timeout");
    let extra: Vec<_> = named(ours).difference(&named(theirs)).cloned().collect();
    assert!(extra.iter().all(|name| allowed(name)), "{about}: {extra:?}");
    for name in named(theirs) {
        let said = ours.get(&name);
        let same = match name.as_str() {
            "Micro-ID" | "Micro-Id" | "Micro-Stream" | "Timeout" => {
                said.is_some_and(|number| number.parse::<u64>().is_ok())
            }
            _ => said == theirs.get(&name),
        };
        assert!(same, "{about}: {name} in {ours:?}");
    }
}

fn same_body(exchange: &Exchange, asked: &Envelope) {
    let theirs = &exchange.request;
    let (mut meant, mut ours) = (theirs.meant(), asked.meant());
    if meant["params"].is_array() {
        (meant["id"], ours["id"]) = (Value::Null, Value::Null);
    }
    if theirs.get("Content-Type") != Some("application/proto-rpc") {
        assert_eq!(ours, meant, "{}", exchange.step);
    }
}

fn same_answer(exchange: &Exchange, outcome: Result<Value, Status>) {
    let step = &exchange.step;
    let Some(error) = exchange.answer.get("Micro-Error") else {
        let text = String::from_utf8_lossy(&exchange.answer.body).into_owned();
        return match outcome.unwrap() {
            Value::String(msg) => assert!(text.contains(&msg) && msg.starts_with("Hello "), "{step}: {msg}"),
            bytes => assert_eq!(bytes, json!(exchange.answer.body), "{step}"),
        };
    };
    let status = outcome.unwrap_err();
    match serde_json::from_str::<Value>(error) {
        Ok(error) => {
            assert_eq!(status.id(), error["id"].as_str(), "{step}");
            assert_eq!(
                (status.code(), status.message()),
                (Code::InvalidArgument, "bad name: John"),
                "{step}"
            );
        }
        Err(_) => assert_eq!(status.message(), error, "{step}"),
    }
}
