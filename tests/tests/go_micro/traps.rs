//! What go-micro peers say that is in order, or nearly, and easily misread.

use serde_json::json;

use crate::bad_input::{Scene, request};
use crate::capture::{Envelope, next};

/// Peers older than all that are tried live say each name with an `X-` before it, and some nothing else.
#[tokio::test]
async fn the_older_names_alone_are_understood() {
    let mut scene = Scene::new().await;
    let header = json!({
        "Content-Type": "application/json", "X-Micro-Service": "greeter", "X-Micro-Endpoint": "Greeter.Hello",
        "X-Micro-ID": "old",
    });
    let body = br#"{"name":"Ann"}"#.to_vec();
    scene.say(Envelope { header, body }.write()).await;
    let answer = next(&mut scene.answers).await;
    assert_eq!(
        (answer.get("Micro-ID"), answer.get("Micro-Error")),
        (Some("old"), None)
    );
    assert_eq!(answer.meant(), json!({ "msg": "Hello Ann" }));
    scene.next_is_ours().await;
}

/// A method stands for the endpoint, as it did in go-micro v1.
#[tokio::test]
async fn a_method_without_an_endpoint_is_one() {
    let mut scene = Scene::new().await;
    let mut asked = request("1", json!({ "Micro-Method": "Greeter.Hello" }));
    asked.header.as_object_mut().unwrap().remove("Micro-Endpoint");
    scene.say(asked.write()).await;
    assert_eq!(
        next(&mut scene.answers).await.meant(),
        json!({ "msg": "Hello Ann" })
    );
    scene.next_is_ours().await;
}

#[tokio::test]
async fn a_timeout_that_is_no_number_is_none() {
    let mut scene = Scene::new().await;
    for timeout in [
        "",
        "5s",
        "-1",
        "1e9",
        "18446744073709551615",
        "99999999999999999999",
    ] {
        scene
            .say(request("1", json!({ "Timeout": timeout })).write())
            .await;
        let answer = next(&mut scene.answers).await;
        assert_eq!(answer.get("Micro-Error"), None, "{timeout:?}");
    }
    scene.next_is_ours().await;
}

/// Go's servers take it for unknown.
#[tokio::test]
async fn a_content_type_with_parameters_is_the_one_before_them() {
    let mut scene = Scene::new().await;
    let utf8 = json!({ "Content-Type": "application/json; charset=utf-8" });
    scene.say(request("1", utf8).write()).await;
    assert_eq!(
        next(&mut scene.answers).await.meant(),
        json!({ "msg": "Hello Ann" })
    );
    scene.next_is_ours().await;
}

#[tokio::test]
async fn what_only_go_micros_transport_heeds_changes_nothing() {
    let mut scene = Scene::new().await;
    let more =
        json!({ "Connection": "close", "Micro-Protocol": "mucp", "Micro-Target": "elsewhere", "Local": "x" });
    scene.say(request("1", more).write()).await;
    assert_eq!(
        next(&mut scene.answers).await.meant(),
        json!({ "msg": "Hello Ann" })
    );
    scene.next_is_ours().await;
}

/// What a content type puts around a body: too short, of a length that is not there, of another kind, compressed.
#[tokio::test]
async fn what_is_framed_wrongly_is_refused() {
    let mut scene = Scene::new().await;
    let bodies: [(&str, &[u8]); 9] = [
        ("application/grpc+json", b""),
        ("application/grpc+json", b"\0\0\0"),
        ("application/grpc+json", b"\0\xff\xff\xff\xff{}"),
        ("application/grpc+json", b"\x01\0\0\0\x02{}"),
        ("application/json-rpc", b"{}"),
        (
            "application/json-rpc",
            br#"{"params":[],"id":"1","method":"Greeter.Hello"}"#,
        ),
        (
            "application/json-rpc",
            br#"{"params":7,"id":"1","method":"Greeter.Hello"}"#,
        ),
        ("application/proto-rpc", b"\0\0\0"),
        ("application/proto-rpc", b"\xff\xff\xff\xff\x0a"),
    ];
    for (content_type, body) in bodies {
        let mut asked = request("1", json!({ "Content-Type": content_type }));
        asked.body = body.to_vec();
        scene.say(asked.write()).await;
        let compressed = body.first() == Some(&1);
        let code = if compressed {
            r#""code":501"#
        } else {
            r#""code":400"#
        };
        scene.refused(code).await;
    }
}

/// The one is not the other's answer, and neither has two.
#[tokio::test]
async fn two_requests_of_one_id_are_answered_once_each() {
    let mut scene = Scene::new().await;
    for name in ["Ann", "Bob"] {
        let mut asked = request("same", json!({}));
        asked.body = json!({ "name": name }).to_string().into_bytes();
        scene.say(asked.write()).await;
    }
    let mut answers = Vec::new();
    for _ in 0..2 {
        let answer = next(&mut scene.answers).await;
        assert_eq!(answer.get("Micro-ID"), Some("same"));
        answers.push(answer.meant()["msg"].to_string());
    }
    answers.sort_unstable();
    assert_eq!(answers, [r#""Hello Ann""#, r#""Hello Bob""#]);
    scene.next_is_ours().await;
}

/// Nobody waits for it, and nothing is said to nobody.
#[tokio::test]
async fn a_request_without_a_reply_subject_is_passed_over() {
    let mut scene = Scene::new().await;
    let payload = request("1", json!({})).write();
    let address = scene.address();
    scene.nats.publish(address, payload.into()).await.unwrap();
    scene.next_is_ours().await;
}
