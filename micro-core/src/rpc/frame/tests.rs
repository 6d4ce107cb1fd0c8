use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::*;
use crate::codec;
use crate::error::ErrorKind;
use crate::message::{Headers, Message};
use crate::rpc::credit::INITIAL;
use crate::rpc::headers as h;
use crate::rpc::items::{Chunk, Items};
use crate::rpc::{CallKind, Code, Context, Request, Status, micro_error};

fn call(request: &Request, id: u64) -> Call {
    let body = Bytes::from_static(b"body");
    let message = super::request(request, id, Dialect::GoMicro, body, Instant::now()).unwrap();
    match from_caller(message) {
        FromCaller::Call(call) => call,
        other => panic!("not a call: {other:?}"),
    }
}

#[test]
fn a_request_survives_the_wire() {
    let metadata = Headers::from_iter([("Foo", "bar")]);
    let context = Context::new()
        .with_timeout(Duration::from_secs(2))
        .with_metadata(metadata.clone());
    let request = Request::new("greeter", "Greeter.Hello", Bytes::new()).with_context(context);
    let call = call(&request, 7);
    assert_eq!(
        (&*call.reply.service, &*call.reply.endpoint, &*call.reply.id),
        ("greeter", "Greeter.Hello", "7")
    );
    assert_eq!(call.metadata, metadata);
    assert_eq!(&call.body[..], b"body");
    let timeout = call.timeout.unwrap();
    assert!(timeout <= Duration::from_secs(2) && timeout > Duration::from_secs(1));
    assert!(!call.reply.stream);
    assert_eq!(call.reply.dialect, Dialect::GoMicro);
}

#[test]
fn metadata_cannot_take_the_place_of_the_frameworks_headers() {
    let metadata = Headers::from_iter([("Micro-Service", "other"), ("Timeout", "1"), ("x-micro-id", "9")]);
    let request = Request::new("greeter", "Greeter.Hello", Bytes::new())
        .with_context(Context::new().with_metadata(metadata));
    let call = call(&request, 7);
    assert_eq!((&*call.reply.service, call.timeout), ("greeter", None));
    assert!(call.metadata.is_empty());
}

#[test]
fn an_answer_comes_in_the_spelling_of_the_request() {
    for (sent, echoed) in [
        (&[h::ID][..], h::ID),
        (&[h::ID_OLD], h::ID_OLD),
        (&[h::ID_OLD, h::ID], h::ID),
    ] {
        let headers: Headers = sent.iter().map(|&name| (name, "3")).collect();
        let FromCaller::Call(call) = from_caller(Message {
            headers,
            body: Bytes::new(),
        }) else {
            panic!("not a call");
        };
        let answer = call
            .reply
            .answer(codec::JSON.into(), Headers::new(), Bytes::new())
            .unwrap();
        assert_eq!(answer.headers.get(echoed), Some("3"), "{sent:?}");
        assert_eq!(from_server(answer).id, Some(3));
    }
}

#[test]
fn a_failure_arrives_with_code_and_message() {
    let request = Request::new("greeter", "Greeter.Hello", Bytes::new());
    let message = call(&request, 1).reply.failure(&Status::not_found("nobody"));
    let ServerEvent::Failed(status) = from_server(message).event else {
        panic!("not a failure")
    };
    assert_eq!(
        status,
        micro_error::decode(r#"{"id":"greeter","code":404,"detail":"nobody","status":"Not Found"}"#)
    );
}

#[test]
fn the_ends_of_a_stream_are_told_apart() {
    let request = Request::new("a", "A.B", Bytes::new()).with_kind(CallKind::BidiStream);
    assert!(matches!(from_caller(half_close(1)), FromCaller::HalfClose(id) if id == "1"));
    assert!(matches!(from_caller(cancel(1)), FromCaller::Cancel(id) if id == "1"));
    assert!(
        matches!(from_caller(Caller::new(&request, 1, Dialect::GoMicro).end()), FromCaller::End(id) if id == "1")
    );
    let reply = call(&request, 1).reply;
    assert!(reply.stream);
    assert!(matches!(from_server(reply.end()).event, ServerEvent::End));
    assert!(matches!(
        from_server(reply.items(Chunk::One(Bytes::new())).unwrap()).event,
        ServerEvent::Body { .. }
    ));
}

#[test]
fn a_refused_content_type_is_a_failure() {
    for text in ["unsupported Content-Type: x", "Unsupported Content-Type: x"] {
        let message = Message::new(text).with_header("Content-Type", "text/plain");
        let FromServer { id: None, event } = from_server(message) else {
            panic!("it has no id")
        };
        assert!(matches!(event, ServerEvent::Failed(status) if status.code() == Code::Unimplemented));
    }
    let message = Message::new("unsupported Content-Type: x")
        .with_header("Content-Type", "text/plain")
        .with_header("Micro-ID", "1");
    assert!(matches!(from_server(message).event, ServerEvent::Body { .. }));
}

#[test]
fn a_request_to_a_peer_of_ours_says_nothing_twice() {
    let request = Request::new("greeter", "Greeter.Hello", Bytes::new());
    let message = super::request(&request, 7, Dialect::Ours, Bytes::new(), Instant::now()).unwrap();
    let names: Vec<_> = message.headers.iter().map(|(name, _)| name).collect();
    assert_eq!(names, [h::SERVICE, h::ENDPOINT, h::CONTENT_TYPE, h::ID]);
    let FromCaller::Call(call) = from_caller(message) else {
        panic!("not a call")
    };
    assert_eq!((&*call.reply.endpoint, &*call.reply.id), ("Greeter.Hello", "7"));
    assert_eq!(call.reply.dialect, Dialect::Ours);
}

fn two() -> Chunk {
    Chunk::Many(Items::open(Bytes::from_static(b"\0\0\0\x01a\0\0\0\0")).unwrap())
}

fn names(message: &Message) -> Vec<&str> {
    message.headers.iter().map(|(name, _)| name).collect()
}

#[test]
fn packs_go_to_a_server_that_understands_them() {
    let request = Request::new("a", "A.B", Bytes::new()).with_kind(CallKind::BidiStream);
    let caller = Caller::new(&request, 1, Dialect::Packs);
    let alone = caller.items(Chunk::One("one".into())).unwrap();
    assert_eq!(names(&alone), [h::STREAM, h::ID]);
    let together = caller.items(two()).unwrap();
    assert_eq!(names(&together), [h::STREAM, h::ID, h::CONTROL]);
    for (message, expected) in [(alone, 1), (together, 2)] {
        let FromCaller::Call(mut call) = from_caller(message) else {
            panic!("not a call")
        };
        assert!(call.reply.stream);
        assert_eq!(call.take_items().unwrap().amount().items, expected);
        assert_eq!(call.reply.id, "1");
    }
}

#[test]
fn a_server_packs_for_a_caller_that_says_so_when_it_opens() {
    for (dialect, content_type, expected) in [
        (Dialect::Packs, codec::JSON, true),
        (Dialect::Packs, "application/grpc+json", false),
        (Dialect::Ours, codec::JSON, false),
    ] {
        let request = Request::new("a", "A.B", Bytes::new()).with_kind(CallKind::BidiStream);
        let request = request.with_content_type(content_type);
        let opening = Caller::new(&request, 1, dialect).opening(Bytes::new()).unwrap();
        let FromCaller::Call(call) = from_caller(opening) else {
            panic!("not a call")
        };
        assert_eq!(call.reply.packs(), expected, "{dialect:?} {content_type}");
        let item = call.reply.items(Chunk::One("one".into())).unwrap();
        assert_eq!(names(&item) == [h::ID], expected);
        if expected {
            let message = call.reply.items(two()).unwrap();
            assert!(matches!(from_server(message).event, ServerEvent::Items(_)));
        }
    }
}

#[test]
fn credit_arrives_in_both_directions() {
    let FromCaller::Credit(id, Some(amount)) = from_caller(credit(7, INITIAL)) else {
        panic!("not credit")
    };
    assert_eq!((&*id, amount), ("7", INITIAL));
    let request = Request::new("a", "A.B", Bytes::new()).with_kind(CallKind::BidiStream);
    let answer = from_server(call(&request, 7).reply.credit(INITIAL));
    assert_eq!(answer.id, Some(7));
    assert!(matches!(answer.event, ServerEvent::Credit(Some(INITIAL))));
    let mut wrong = credit(7, INITIAL);
    wrong.body.truncate(15);
    assert!(matches!(from_caller(wrong), FromCaller::Credit(_, None)));
}

#[test]
fn a_pack_that_lies_is_malformed() {
    let message = Message::new("\0\0\0\u{9}x")
        .with_header(h::ID, "1")
        .with_header(h::STREAM, "1")
        .with_header(h::CONTROL, h::ITEMS);
    let FromCaller::Call(mut call) = from_caller(message) else {
        panic!("not a call")
    };
    assert_eq!(call.take_items().unwrap_err().kind(), ErrorKind::Malformed);
}

#[test]
fn a_ping_is_answered_whether_its_id_comes_back_or_not() {
    let FromCaller::Call(call) = from_caller(ping()) else {
        panic!("not a call")
    };
    let refused = call.reply.failure(&Status::unimplemented("unknown content type"));
    assert!(matches!(from_server(refused).event, ServerEvent::Pong));
    let plain = Message::new(format!("unsupported Content-Type: {}", h::PING));
    let plain = plain.with_header("Content-Type", "text/plain");
    assert!(matches!(from_server(plain).event, ServerEvent::Pong));
}
