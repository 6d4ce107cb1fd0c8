//! What no server should answer: a client of ours passes it over, or reads it as a Go client does.

use async_nats::{Client, Subscriber};
use futures::StreamExt as _;
use micro::{Code, Json, Status};
use micro_conformance::nats_server::NatsServer;
use serde_json::{Value, json};

use crate::answers::{ADDRESS, client};
use crate::capture::{Envelope, LIMIT, subscribed};
use crate::service::{Req, Rsp};

/// A client of ours, and who answers it.
struct Scene {
    backends: micro::Backends,
    nats: Client,
    requests: Subscriber,
    _server: NatsServer,
}

impl Scene {
    async fn on(server: NatsServer) -> Self {
        let nats = async_nats::connect(server.url()).await.unwrap();
        Scene {
            requests: subscribed(&nats, ADDRESS).await,
            backends: client(&server).await,
            nats,
            _server: server,
        }
    }

    async fn new() -> Self {
        Scene::on(NatsServer::start().await).await
    }

    /// Makes a call, has these answered to it in order, and returns what it ended with.
    async fn call(&mut self, answers: impl Fn(&str) -> Vec<Vec<u8>>) -> Result<String, Status> {
        let req = Req { name: "Ann".into() };
        let call = self
            .backends
            .client()
            .unary("greeter", "Greeter.Hello", Json(req));
        let (nats, requests) = (&self.nats, &mut self.requests);
        let answered = async {
            let message = tokio::time::timeout(LIMIT, requests.next()).await;
            let message = message.expect("a request").unwrap();
            let id = Envelope::read(&message.payload)
                .unwrap()
                .get("Micro-ID")
                .unwrap()
                .to_owned();
            for answer in answers(&id) {
                let inbox = message.reply.clone().unwrap();
                nats.publish(inbox, answer.into()).await.unwrap();
            }
        };
        let (outcome, ()) = tokio::join!(call.timeout(LIMIT), answered);
        outcome.map(|Json(Rsp { msg })| msg)
    }
}

fn answer(header: Value, msg: &str) -> Vec<u8> {
    let body = json!({ "msg": msg }).to_string().into_bytes();
    Envelope { header, body }.write()
}

fn right(id: &str) -> Vec<u8> {
    answer(
        json!({ "Content-Type": "application/json", "Micro-ID": id }),
        "right",
    )
}

#[tokio::test]
async fn what_is_no_envelope_answers_nothing() {
    let mut scene = Scene::new().await;
    for odd in [
        &b""[..],
        b"[]",
        b"not json",
        br#"{"Header":{"Micro-ID":7},"Body":""}"#,
        br#"{"Header":{"Content-Type":"application/json"},"Body":"e30"}"#,
        b"{\"Header\":{\"Micro-ID\":\"\xff\xfe\"},\"Body\":\"\"}",
    ] {
        let outcome = scene.call(|id| vec![odd.to_vec(), right(id)]).await;
        assert_eq!(outcome.unwrap(), "right", "after {odd:?}");
    }
}

#[tokio::test]
async fn an_answer_to_another_call_answers_nothing() {
    let mut scene = Scene::new().await;
    for id in ["999999", "-1", "x", "18446744073709551616"] {
        let other = answer(
            json!({ "Content-Type": "application/json", "Micro-ID": id }),
            "wrong",
        );
        let outcome = scene.call(|id| vec![other.clone(), right(id)]).await;
        assert_eq!(outcome.unwrap(), "right", "after the answer to {id}");
    }
}

#[tokio::test]
async fn ten_megabytes_of_header_answer_nothing() {
    let server = NatsServer::builder().config("max_payload: 16MB").start().await;
    let mut scene = Scene::on(server).await;
    let wide = |id: &str| answer(json!({ "Micro-ID": id, "Wide": "x".repeat(10 << 20) }), "wide");
    let outcome = scene.call(|id| vec![wide(id), right(id)]).await;
    assert_eq!(outcome.unwrap(), "right");
}

/// Without an id it is taken for the answer of the one call that waits, as go-micro sends some; and its content type is
/// that of the request.
#[tokio::test]
async fn names_in_the_wrong_case_are_no_id_and_no_content_type() {
    let mut scene = Scene::new().await;
    let odd = answer(
        json!({ "micro-id": "999999", "content-type": "text/plain" }),
        "taken",
    );
    assert_eq!(scene.call(|_| vec![odd.clone()]).await.unwrap(), "taken");
    let nameless = br#"{"Header":null,"Body":"eyJtc2ciOiJ0YWtlbiJ9"}"#;
    assert_eq!(scene.call(|_| vec![nameless.to_vec()]).await.unwrap(), "taken");
}

#[tokio::test]
async fn a_body_that_is_null_is_empty_and_cannot_be_read() {
    let mut scene = Scene::new().await;
    for body in [r#""Body":null"#, r#""Body":"""#, r#""Other":1"#] {
        let odd = |id: &str| format!(r#"{{"Header":{{"Micro-ID":"{id}"}},{body}}}"#).into_bytes();
        let status = scene.call(|id| vec![odd(id)]).await.unwrap_err();
        assert_eq!(status.code(), Code::Internal, "{body}: {status}");
    }
    assert_eq!(scene.call(|id| vec![right(id)]).await.unwrap(), "right");
}

#[tokio::test]
async fn of_answers_that_come_twice_the_first_counts() {
    let mut scene = Scene::new().await;
    for n in 0..20 {
        let (first, second) = (format!("first {n}"), format!("second {n}"));
        let both = |id: &str| {
            let header = json!({ "Content-Type": "application/json", "Micro-ID": id });
            vec![answer(header.clone(), &first), answer(header, &second)]
        };
        assert_eq!(scene.call(both).await.unwrap(), first);
    }
}

#[tokio::test]
async fn an_error_that_is_odd_is_an_error() {
    let mut scene = Scene::new().await;
    for (error, code, message) in [
        (r#"{"code":404}"#, Code::NotFound, ""),
        (r#"{"code":99,"detail":"odd"}"#, Code::Unknown, "odd"),
        (r#"{"detail":"no code"}"#, Code::Unknown, "no code"),
        ("{", Code::Unknown, "{"),
        ("null", Code::Unknown, "null"),
        ("bare", Code::Unknown, "bare"),
    ] {
        let failed = |id: &str| answer(json!({ "Micro-ID": id, "Micro-Error": error }), "passed over");
        let status = scene.call(|id| vec![failed(id)]).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (code, message), "{error}");
    }
}
