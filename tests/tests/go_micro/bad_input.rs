//! What nobody should say to a service: each has an answer or none, and the service goes on.

use async_nats::{Client, Subscriber};
use micro::Service;
use micro_conformance::nats_server::NatsServer;
use serde_json::json;

use crate::capture::{Envelope, next, subscribed};
use crate::service::{V6, greeter};

/// A service of ours, and somebody who says things to it.
pub(crate) struct Scene {
    pub(crate) nats: Client,
    service: Service,
    inbox: String,
    pub(crate) answers: Subscriber,
    _server: NatsServer,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Scene::on(NatsServer::start().await).await
    }

    async fn on(server: NatsServer) -> Self {
        let service = greeter(&server, V6).await;
        let nats = async_nats::connect(server.url()).await.unwrap();
        let inbox = nats.new_inbox();
        let answers = subscribed(&nats, &inbox).await;
        Scene {
            nats,
            service,
            inbox,
            answers,
            _server: server,
        }
    }

    pub(crate) fn address(&self) -> String {
        self.service.address().to_owned()
    }

    pub(crate) async fn say(&self, payload: impl Into<Vec<u8>>) {
        let address = self.address();
        let payload = payload.into().into();
        self.nats
            .publish_with_reply(address, self.inbox.clone(), payload)
            .await
            .unwrap();
    }

    /// The next answer is to the well-formed request that is made now: what was said before had none.
    pub(crate) async fn next_is_ours(&mut self) {
        self.say(request("ours", json!({})).write()).await;
        let answer = next(&mut self.answers).await;
        assert_eq!(
            (answer.get("Micro-ID"), answer.get("Micro-Error")),
            (Some("ours"), None),
            "{answer:?}"
        );
        assert_eq!(answer.meant(), json!({ "msg": "Hello Ann" }));
    }

    /// What was said is answered by an error that says this.
    pub(crate) async fn refused(&mut self, error: &str) {
        let answer = next(&mut self.answers).await;
        assert!(
            answer.get("Micro-Error").is_some_and(|text| text.contains(error)),
            "{answer:?}"
        );
        self.next_is_ours().await;
    }
}

/// A request that is in order, with more headers.
pub(crate) fn request(id: &str, more: serde_json::Value) -> Envelope {
    let mut header = json!({
        "Content-Type": "application/json", "Micro-Service": "greeter", "Micro-Endpoint": "Greeter.Hello",
        "Micro-ID": id,
    });
    for (name, value) in more.as_object().unwrap() {
        header[name] = value.clone();
    }
    Envelope {
        header,
        body: br#"{"name":"Ann"}"#.to_vec(),
    }
}

#[tokio::test]
async fn header_names_in_the_wrong_case_are_no_headers() {
    let mut scene = Scene::new().await;
    scene
        .say(r#"{"Header":{"micro-endpoint":"Greeter.Hello","content-type":"application/json"},"Body":"e30="}"#)
        .await;
    scene.refused("ill-formed").await;
}

#[tokio::test]
async fn headers_that_are_null_name_no_endpoint() {
    let mut scene = Scene::new().await;
    for payload in [
        r#"{"Header":null,"Body":"e30="}"#,
        r#"{"Header":null,"Body":null}"#,
        "{}",
        "null",
    ] {
        scene.say(payload).await;
        scene.refused("ill-formed").await;
    }
}

#[tokio::test]
async fn a_body_that_is_null_is_an_empty_one() {
    let mut scene = Scene::new().await;
    let header = json!({
        "Content-Type": "application/octet-stream", "Micro-Endpoint": "Greeter.Raw", "Micro-ID": "1",
    });
    scene
        .say(json!({ "Header": header, "Body": null }).to_string())
        .await;
    assert_eq!(next(&mut scene.answers).await.body, b"echo:");
    scene.next_is_ours().await;
}

#[tokio::test]
async fn what_is_no_envelope_is_ignored() {
    let mut scene = Scene::new().await;
    let whole = String::from_utf8(request("1", json!({})).write()).unwrap();
    let payloads: [&[u8]; 7] = [
        b"",
        b"[]",
        b"not json",
        &whole.as_bytes()[..whole.len() - 1],
        br#"{"Header":{"Micro-Endpoint":7},"Body":""}"#,
        // Base64 without its padding: Go does not read it either.
        br#"{"Header":{"Micro-Endpoint":"Greeter.Hello"},"Body":"e30"}"#,
        b"{\"Header\":{\"Micro-Endpoint\":\"\xff\xfe\"},\"Body\":\"!\"}",
    ];
    for payload in payloads {
        scene.say(payload).await;
        scene.next_is_ours().await;
    }
}

#[tokio::test]
async fn of_members_that_come_twice_the_last_counts() {
    let mut scene = Scene::new().await;
    scene
        .say(
            r#"{"Header":{"Micro-Endpoint":"A.B","Micro-Endpoint":"Greeter.Raw","Micro-ID":"1","Micro-ID":"2",
            "Content-Type":"application/octet-stream"},"Body":"AA==","Body":"aGk="}"#,
        )
        .await;
    let answer = next(&mut scene.answers).await;
    assert_eq!(
        (answer.get("Micro-ID"), &answer.body[..]),
        (Some("2"), &b"echo:hi"[..])
    );
    scene.next_is_ours().await;
}

#[tokio::test]
async fn ten_megabytes_of_header_cost_one_message() {
    let server = NatsServer::builder().config("max_payload: 16MB").start().await;
    let mut scene = Scene::on(server).await;
    let wide = "x".repeat(10 << 20);
    scene.say(request("1", json!({ "Wide": wide })).write()).await;
    let many: serde_json::Map<_, _> = (0..200_000)
        .map(|n| (format!("Name-{n}"), json!("x".repeat(30))))
        .collect();
    scene.say(request("2", many.into()).write()).await;
    // Beyond the limit of an envelope's headers it is no envelope, so nobody is answered.
    scene.next_is_ours().await;
}

#[tokio::test]
async fn an_unknown_content_type_is_answered() {
    let mut scene = Scene::new().await;
    scene
        .say(request("1", json!({ "Content-Type": "text/csv" })).write())
        .await;
    scene.refused("unsupported content type").await;
}

#[tokio::test]
async fn an_item_of_a_stream_that_has_ended_begins_a_new_one() {
    let mut scene = Scene::new().await;
    let stream = json!({ "Micro-Endpoint": "Greeter.Stream", "Micro-Stream": "7" });
    let opening = request("7", stream.clone());
    scene.say(opening.write()).await;
    let mut end = opening.clone();
    end.header["Micro-Error"] = json!("EOS");
    scene.say(end.write()).await;
    // As with go-micro, its body is passed over as that of an opening; the one after it is answered.
    scene.say(opening.write()).await;
    scene.say(opening.write()).await;
    let answer = next(&mut scene.answers).await;
    assert_eq!(
        (answer.get("Micro-ID"), answer.meant()),
        (Some("7"), json!({ "msg": "s:Ann" }))
    );
    scene.say(end.write()).await;
    scene.next_is_ours().await;
}
