//! Peers that the test plays.

use std::time::Duration;

use micro::Message;
use micro::prelude::*;
use micro::testing::{ScriptedService, Testbed};
use tokio::sync::mpsc;

use super::{named, on_both};

/// A service that asks another one: what is tried against a scripted peer.
async fn greeter(bed: &Testbed) -> Service {
    let users = bed.host("greeter").client().await.unwrap();
    let hello = move |context: Context, Json(id): Json<u32>| {
        let users = users.clone();
        async move {
            let name = users
                .unary("users", "Users.Name", Json(id))
                .context(&context)
                .await;
            name.map(|Json(name): Json<String>| Json(format!("Hello {name}")))
        }
    };
    let router = Router::new().unary("Greeter.Hello", hello);
    bed.service("greeter").serve(router).start().await.unwrap()
}

async fn a_scripted_service_answers_as_it_is_told(bed: Testbed) {
    let _greeter = greeter(&bed).await;
    let mut users = bed.scripted_service("users").await.unwrap();
    let client = bed.client().await.unwrap();
    let hello = |id: u32| {
        let call = client.unary::<_, Json<String>>("greeter", "Greeter.Hello", Json(id));
        tokio::spawn(async move { call.header("Tenant", "a").await })
    };

    let call = hello(7);
    let request = users.expect::<Json<u32>>("Users.Name").await;
    assert_eq!(request.message, Json(7));
    assert_eq!(request.context.metadata().get("Tenant"), Some("a"));
    assert!(request.context.remaining().unwrap() < Duration::from_secs(5));
    request.reply(Json("Ada".to_owned()));
    assert_eq!(call.await.unwrap(), Ok(Json("Hello Ada".to_owned())));

    let call = hello(8);
    let request = users.expect::<Json<u32>>("Users.Name").await;
    request.fail(Status::not_found("nobody has this number"));
    let status = call.await.unwrap().unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::NotFound, "nobody has this number")
    );

    let call = hello(9);
    drop(users.expect::<Json<u32>>("Users.Name").await);
    assert_eq!(call.await.unwrap().unwrap_err().code(), Code::Internal);
    users.expect_no_more();
}

async fn a_scripted_service_takes_and_gives_streams(bed: Testbed) {
    let mut peer = bed.scripted_service("test").await.unwrap();
    let client = bed.client().await.unwrap();
    let numbers = Streaming::from_iter([Json(1_u32), Json(2)]);
    let call = client.bidi_stream::<_, Json<u32>>("test", "Test.Double", numbers);
    let call = tokio::spawn(async move { call.await.unwrap().collect().await });
    let mut request = peer.expect_stream::<Json<u32>>("Test.Double").await;
    assert_eq!(request.message.next().await.unwrap().unwrap(), Json(1));
    assert_eq!(request.message.next().await.unwrap().unwrap(), Json(2));
    assert!(request.message.next().await.is_none());
    request.reply_stream(Streaming::from_iter([Json(2_u32), Json(4)]));
    assert_eq!(call.await.unwrap(), Ok(vec![Json(2), Json(4)]));
}

/// What the script panics with, when something else comes than it expects.
async fn complaint(mut peer: ScriptedService, client: Client) -> String {
    let call = tokio::spawn(async move { super::ask(&client).await });
    let script = tokio::spawn(async move { drop(peer.expect::<Json<()>>("Test.Other").await) });
    let panic = script.await.unwrap_err().into_panic();
    call.await.unwrap().unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

async fn an_unexpected_request_fails_the_test(bed: Testbed) {
    let peer = bed.scripted_service("test").await.unwrap();
    let complaint = complaint(peer, bed.client().await.unwrap()).await;
    assert_eq!(complaint, "test was asked for Test.Name, and not for Test.Other");
}

async fn a_scripted_client_sends_what_no_client_would(bed: Testbed) {
    let _service = bed.service("test").serve(named("a")).start().await.unwrap();
    let caller = bed.scripted_client("test").await.unwrap();
    let asked =
        async |content_type: &str, body: &'static str| caller.unary("Test.Name", content_type, body).await;
    assert_eq!(asked("application/json", "null").await.unwrap(), "\"a\"\n");
    assert_eq!(
        asked("application/json", "{").await.unwrap_err().code(),
        Code::InvalidArgument
    );
    assert_eq!(
        asked("text/csv", "1").await.unwrap_err().code(),
        Code::Unimplemented
    );

    let mut socket = caller.dial().await.unwrap();
    let nonsense = Message::new("null")
        .with_header("Micro-ID", "1")
        .with_header("Micro-Method", "?");
    socket.send(nonsense).await.unwrap();
    let answer = socket.recv().await.unwrap().unwrap();
    assert!(answer.headers.contains("Micro-Error"), "{answer:?}");
}

async fn a_scripted_stream_is_left_in_the_middle(bed: Testbed) {
    let (sender, mut seen) = mpsc::unbounded_channel();
    let echo = move |context: Context, items: Streaming<Json<u32>>| {
        let sent = sender.send(context);
        async move {
            sent.map(|()| items)
                .map_err(|_| Status::internal("the test has ended"))
        }
    };
    let router = Router::new().bidi_stream("Test.Echo", echo);
    let _service = bed.service("test").serve(router).start().await.unwrap();
    let caller = bed.scripted_client("test").await.unwrap();

    let mut stream = caller.stream("Test.Echo", "application/json").await.unwrap();
    stream.send("1").await.unwrap();
    assert_eq!(stream.recv().await.unwrap().unwrap(), "1\n");
    stream.finish();
    assert!(stream.send("2").await.is_err());
    assert!(stream.recv().await.is_none());
    seen.recv().await.unwrap();

    let mut stream = caller.stream("Test.Echo", "application/json").await.unwrap();
    stream.send("1").await.unwrap();
    stream.recv().await.unwrap().unwrap();
    drop(stream);
    seen.recv().await.unwrap().cancelled().await;
}

on_both!(
    a_scripted_service_answers_as_it_is_told,
    a_scripted_service_takes_and_gives_streams,
    an_unexpected_request_fails_the_test,
    a_scripted_client_sends_what_no_client_would,
    a_scripted_stream_is_left_in_the_middle,
);
