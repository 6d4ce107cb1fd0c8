//! What travels beside the bodies.

use bytes::Bytes;
use micro_core::rpc::CallKind;
use micro_core::{Address, Code, Context, Headers, Json, Request, Response, Router, Status, Streaming};
use tokio::sync::mpsc;
use tower::service_fn;

use super::RpcWorld;
use super::stage::{PATIENCE, Process, SERVICE, pair};

/// `Test.One` and `Test.Many`, of which the clause gets the contexts.
fn contexts() -> (mpsc::Receiver<Context>, Router) {
    let (sender, contexts) = mpsc::channel(16);
    let stream = sender.clone();
    let one = move |context: Context, body: Bytes| {
        let sender = sender.clone();
        async move {
            sender.send(context).await.expect("a clause that reads");
            Ok(body)
        }
    };
    let many = move |context: Context, bodies: Streaming<Bytes>| {
        let sender = stream.clone();
        async move {
            sender.send(context).await.expect("a clause that reads");
            Ok(bodies)
        }
    };
    let router = Router::new().unary("Test.One", one);
    (contexts, router.bidi_stream("Test.Many", many))
}

/// Names and values that the caller sends along are the handler's, unchanged, with nothing of the framework's own.
pub async fn metadata_reaches_the_handler(world: &RpcWorld) {
    let (mut contexts, router) = contexts();
    let (client, _server) = pair(world, router).await;
    let sent = Headers::from_iter([
        ("Foo", "bar"),
        ("foo", "other"),
        ("Größe", "čeština 🦀 <&>\""),
        ("Empty", ""),
    ]);
    let context = Context::new().with_metadata(sent.clone());
    let call = client.unary::<_, Bytes>(SERVICE, "Test.One", Bytes::new());
    call.context(&context).header("More", "1").await.unwrap();
    let mut expected = sent.clone();
    expected.insert("More", "1");
    assert_eq!(*contexts.recv().await.unwrap().metadata(), expected);
    let call = client.bidi_stream::<Bytes, Bytes>(SERVICE, "Test.Many", [Bytes::new()].into_iter().collect());
    let answers = call.context(&context).await.unwrap();
    assert_eq!(*contexts.recv().await.unwrap().metadata(), sent);
    answers.collect().await.unwrap();
}

/// Names and values beside an answer are the caller's.
pub async fn metadata_of_an_answer_reaches_the_caller(world: &RpcWorld) {
    let answering = service_fn(|_: Request| async {
        let answer = Response::new(Bytes::from("x")).with_header("Foo", "bar");
        Ok::<_, Status>(answer.with_header("Größe", "🦀 <\">"))
    });
    let router = Router::new().route("Test.Meta", CallKind::Unary, answering);
    let (client, _server) = pair(world, router).await;
    let answer = client
        .send(Request::new(SERVICE, "Test.Meta", Bytes::new()))
        .await;
    let answer = answer.unwrap();
    assert_eq!(
        answer.metadata,
        Headers::from_iter([("Foo", "bar"), ("Größe", "🦀 <\">")])
    );
    assert_eq!(answer.body.into_one(), "x");
}

/// What the framework says of a call cannot be said by its metadata: neither by the caller's nor by the handler's.
pub async fn metadata_cannot_speak_for_the_framework(world: &RpcWorld) {
    const OURS: [&str; 5] = [
        "Micro-Error",
        "micro-id",
        "X-Micro-Endpoint",
        "Content-Type",
        "Timeout",
    ];
    let forging = service_fn(|_: Request| async {
        let answer = Response::new(Bytes::from("\"fine\""));
        Ok::<_, Status>(
            OURS.into_iter()
                .fold(answer, |answer, name| answer.with_header(name, "forged")),
        )
    });
    let (mut contexts, router) = contexts();
    let router = router.route("Test.Forge", CallKind::Unary, forging);
    let (client, _server) = pair(world, router).await;
    for name in OURS {
        let call = client.unary::<_, Bytes>(SERVICE, "Test.One", Bytes::new());
        let status = call.header(name, "forged").await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{name}");
    }
    let forged = Context::new().with_metadata(OURS.into_iter().map(|name| (name, "forged")).collect());
    let call = client.unary::<_, Bytes>(SERVICE, "Test.One", Bytes::new());
    call.context(&forged).timeout(PATIENCE).await.unwrap();
    assert!(contexts.recv().await.unwrap().metadata().is_empty());
    let answer: Json<String> = client.unary(SERVICE, "Test.Forge", Json(())).await.unwrap();
    assert_eq!(answer.0, "fine");
}

/// A handler learns who calls, and tells callers apart.
pub async fn a_handler_knows_its_peer(world: &RpcWorld) {
    let (mut contexts, router) = contexts();
    let (client, _server) = pair(world, router).await;
    let other = Process::open(world).await;
    // The registry of the other process lists nothing of its own.
    let others = other.client();
    let mut peers: Vec<Option<Address>> = Vec::new();
    for client in [&client, &client, &others] {
        client
            .unary::<_, Bytes>(SERVICE, "Test.One", Bytes::new())
            .await
            .unwrap();
        peers.push(contexts.recv().await.unwrap().peer().cloned());
    }
    assert!(peers.iter().all(Option::is_some), "{peers:?}");
    assert!(peers[0] == peers[1] && peers[1] != peers[2], "{peers:?}");
}

/// A nested call hands on the metadata of the call that it is part of.
pub async fn a_nested_call_carries_the_metadata(world: &RpcWorld) {
    let (mut contexts, router) = contexts();
    let process = Process::open(world).await;
    let client = process.client();
    let nested = client.clone();
    let router = router.unary("Test.Outer", move |context: Context, body: Bytes| {
        let nested = nested.clone();
        async move {
            nested
                .unary::<_, Bytes>(SERVICE, "Test.One", body)
                .context(&context)
                .await
        }
    });
    let _server = process.serve("node", router).await;
    let call = client.unary::<_, Bytes>(SERVICE, "Test.Outer", Bytes::new());
    call.header("Trace", "1").await.unwrap();
    let context = contexts.recv().await.unwrap();
    assert_eq!(context.metadata().get("Trace"), Some("1"));
}
