//! What services on NATS do beyond the suites: chosen by flags, over lost servers, with bad credentials and bad input.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and tells what it measured"
)]

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt;
use micro::{BackendFlags, Backends, Service, ServiceBuilder};
use micro_conformance::nats_server::{NatsCluster, NatsServer};
use micro_core::registry::RegisterOptions;
use micro_core::{
    Client, Code, Context, Error, ErrorKind, Json, Node, PluginConfig, Router, ServiceRecord, Status,
};
use nats_common::{Connection, Outgoing};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A failure bound: nothing waits for it.
const LIMIT: Duration = Duration::from_secs(25);

/// How long it may take to learn that something is gone. A failure bound: it takes milliseconds.
const AT_ONCE: Duration = Duration::from_secs(1);

/// A service as the command line makes it, with all three backends at these servers.
fn service(name: &str, servers: &str) -> ServiceBuilder {
    let backends = ["transport", "broker", "registry"];
    let flags = backends.map(|kind| [format!("--{kind}=nats"), format!("--{kind}-address={servers}")]);
    let arguments = std::iter::once("service".to_owned()).chain(flags.into_iter().flatten());
    Service::try_from_args(name, arguments).unwrap().serve(doubling())
}

fn doubling() -> Router {
    Router::new().unary("Test.Double", |_: Context, Json(number): Json<u64>| async move {
        Ok(Json(number * 2))
    })
}

/// Another process: those of one process share a connection by their servers, which are told apart as they are written.
fn elsewhere(server: &NatsServer) -> String {
    server.address().replace("127.0.0.1", "localhost")
}

async fn caller(servers: &str) -> Backends {
    let mut flags = BackendFlags::default();
    for (plugin, address) in [
        (&mut flags.transport, &mut flags.transport_address),
        (&mut flags.broker, &mut flags.broker_address),
        (&mut flags.registry, &mut flags.registry_address),
    ] {
        (*plugin, *address) = (Some("nats".to_owned()), Some(servers.to_owned()));
    }
    Backends::from_flags("caller", flags).await.unwrap()
}

async fn double(client: &Client, number: u64) -> Result<u64, Status> {
    let call = client.unary("test", "Test.Double", Json(number)).timeout(LIMIT);
    call.await.map(|Json(answer)| answer)
}

/// Calls until one succeeds; how long that took.
async fn until_answered(client: &Client) -> Duration {
    let start = Instant::now();
    let answered = async {
        while double(client, 21).await != Ok(42) {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, answered).await.expect("an answer");
    start.elapsed()
}

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

async fn nothing(_: Context, _: Json<u64>) -> Result<(), Status> {
    Ok(())
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

/// A service that tells which events it heard.
async fn hearing(servers: &str) -> (Service, mpsc::Receiver<u64>) {
    let (sender, heard) = mpsc::channel(1024);
    let handler = move |_: Context, Json(number): Json<u64>| {
        let sender = sender.clone();
        async move {
            sender
                .send(number)
                .await
                .map_err(|_| Status::internal("the test has ended"))
        }
    };
    (
        service("test", servers)
            .subscribe("numbers", handler)
            .start()
            .await
            .unwrap(),
        heard,
    )
}

/// Publishes until an event is heard.
async fn until_heard(publisher: &Backends, heard: &mut mpsc::Receiver<u64>) {
    let hearing = async {
        loop {
            // While the connection is away, publishing fails: that is not what is tried here.
            publisher.publish("numbers", &Json(1_u64)).await.ok();
            if timeout(Duration::from_millis(50), heard.recv()).await.is_ok() {
                return;
            }
        }
    };
    timeout(LIMIT, hearing).await.expect("an event");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_server_finds_services_subscriptions_and_callers_as_they_were() {
    let mut server = NatsServer::start().await;
    let (service, mut heard) = hearing(&server.address()).await;
    let caller = caller(&elsewhere(&server)).await;
    assert_eq!(double(caller.client(), 21).await, Ok(42));
    for _ in 0..3 {
        server.restart().await;
        println!("called again after {:?}", until_answered(caller.client()).await);
        until_heard(&caller, &mut heard).await;
        for number in 0..100 {
            assert_eq!(double(caller.client(), number).await, Ok(number * 2));
        }
        let found = caller.registry().get("test").await.unwrap();
        assert_eq!(found[0].nodes[0].id, service.id());
    }
    // Somebody who comes after all that finds it, too.
    let late = self::caller(&server.url()).await;
    assert_eq!(double(late.client(), 21).await, Ok(42));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_in_flight_does_not_wait_out_a_lost_server() {
    let mut server = NatsServer::start().await;
    let (sender, mut begun) = mpsc::channel(1);
    let router = Router::new().unary("Test.Wait", move |_: Context, _: Json<u64>| {
        let sender = sender.clone();
        async move {
            sender
                .send(())
                .await
                .map_err(|_| Status::internal("the test has ended"))?;
            std::future::pending::<Result<Json<u64>, Status>>().await
        }
    });
    let _service = service("test", &server.address())
        .serve(router)
        .start()
        .await
        .unwrap();
    let caller = caller(&elsewhere(&server)).await;
    let call = caller
        .client()
        .unary::<_, Json<u64>>("test", "Test.Wait", Json(1_u64))
        .timeout(LIMIT);
    let call = tokio::spawn(async move { call.await });
    begun.recv().await.unwrap();
    let start = Instant::now();
    server.kill().await;
    let status = call.await.unwrap().unwrap_err();
    println!("told after {:?}: {status}", start.elapsed());
    assert_eq!(status.code(), Code::Unavailable);
    assert!(!status.is_never_delivered());
    assert!(start.elapsed() < LIMIT / 5, "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_over_a_restart_runs_twice_only_if_it_may() {
    for idempotent in [false, true] {
        let mut server = NatsServer::start().await;
        let (sender, mut begun) = mpsc::channel(16);
        let router = Router::new().unary("Test.Once", move |context: Context, _: Json<u64>| {
            let sender = sender.clone();
            async move {
                // The first is never answered: its caller is told of the loss before.
                let first = sender.capacity() == sender.max_capacity();
                sender
                    .send(())
                    .await
                    .map_err(|_| Status::internal("the test has ended"))?;
                if first {
                    context.cancelled().await;
                }
                Ok(Json(42_u64))
            }
        });
        let _service = service("test", &server.address())
            .serve(router)
            .start()
            .await
            .unwrap();
        let caller = caller(&elsewhere(&server)).await;
        let call = caller
            .client()
            .unary::<_, Json<u64>>("test", "Test.Once", Json(1_u64))
            .timeout(LIMIT);
        let call = if idempotent { call.idempotent() } else { call };
        let call = tokio::spawn(async move { call.await });
        while begun.is_empty() {
            tokio::task::yield_now().await;
        }
        server.restart().await;
        let outcome = call.await.unwrap();
        until_answered(caller.client()).await;
        let mut runs = 0;
        while begun.try_recv().is_ok() {
            runs += 1;
        }
        println!("idempotent: {idempotent}, {outcome:?} after {runs} runs");
        match outcome {
            Ok(Json(answer)) => assert_eq!((answer, runs, idempotent), (42, 2, true)),
            // The caller may be back before the service is, and then there is nobody to make it again.
            Err(status) => assert_eq!((status.code(), runs), (Code::Unavailable, 1)),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_ends_calls_by_their_deadline() {
    let server = NatsServer::start().await;
    let _service = service("test", &server.address()).start().await.unwrap();
    let caller = caller(&elsewhere(&server)).await;
    assert_eq!(double(caller.client(), 21).await, Ok(42));
    server.freeze().await;
    let start = Instant::now();
    let call = caller
        .client()
        .unary::<_, Json<u64>>("test", "Test.Double", Json(1_u64));
    let status = call.timeout(Duration::from_millis(300)).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
    server.thaw().await;
    until_answered(caller.client()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_server_of_the_list_is_used() {
    let server = NatsServer::start().await;
    let dead = NatsServer::start().await.address();
    let list = format!("{dead}, nats://{}", server.address());
    let _service = service("test", &list).start().await.unwrap();
    let caller = caller(&format!("nats://{dead},{}", elsewhere(&server))).await;
    assert_eq!(double(caller.client(), 21).await, Ok(42));
    let error = service("test", &dead).start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains(&dead), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_loses_a_server_is_lived_through() {
    let mut cluster = NatsCluster::start(3).await;
    let addresses: Vec<_> = cluster.servers().iter().map(NatsServer::address).collect();
    let (_service, mut heard) = hearing(&addresses.join(",")).await;
    let caller = caller(&[&*addresses[1], &*addresses[2]].join(",")).await;
    assert_eq!(double(caller.client(), 21).await, Ok(42));
    // First the one that the service is connected to, and then the caller's.
    for lost in [0, 1] {
        cluster.server(lost).kill().await;
        println!("called again after {:?}", until_answered(caller.client()).await);
        until_heard(&caller, &mut heard).await;
        cluster.server(lost).restart().await;
        cluster.until_joined().await;
    }
}

const USERS: &str = r#"authorization {
  users = [
    { user: ada, password: secret }
    { user: bob, password: secret, permissions: { subscribe: { deny: ["secret.>"] }, publish: { deny: ["secret.>"] } } }
    { user: eve, password: secret, permissions: { subscribe: { deny: ["micro.>", "micro.nats.>"] } } }
  ]
}"#;

/// Where the user of that name connects.
fn login(server: &NatsServer, user: &str, password: &str) -> String {
    format!("nats://{user}:{password}@{}", server.address())
}

/// What a service says that cannot start.
async fn refused(service: ServiceBuilder) -> Error {
    let start = timeout(LIMIT, service.start()).await.expect("an answer");
    start.expect_err("a refusal")
}

#[tokio::test]
async fn a_wrong_credential_is_refused_at_the_start() {
    let server = NatsServer::builder().config(USERS).start().await;
    for servers in [
        login(&server, "ada", "wrong-password"),
        login(&server, "nobody", "secret"),
        server.address(),
    ] {
        let error = refused(service("test", &servers)).await;
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error:?}");
        let text = format!("{error} {error:?}");
        assert!(
            text.contains(&server.address()) && !text.contains("wrong-password"),
            "{text}"
        );
    }
    let service = service("test", &login(&server, "ada", "secret"))
        .start()
        .await
        .unwrap();
    assert_eq!(double(service.client(), 21).await, Ok(42));
}

#[tokio::test]
async fn a_denied_subject_is_named_at_the_start() {
    let server = NatsServer::builder().config(USERS).start().await;
    let bob = login(&server, "bob", "secret");
    let error = refused(service("test", &bob).subscribe("secret.plans", nothing)).await;
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error:?}");
    assert!(error.to_string().contains("secret.plans"), "{error}");
    let address = "secret.address".parse().unwrap();
    let error = refused(service("test", &bob).address(address)).await;
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error:?}");
    assert!(error.to_string().contains("secret.address"), "{error}");
    let error = refused(service("test", &login(&server, "eve", "secret"))).await;
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error:?}");
    assert!(error.to_string().contains("micro."), "{error}");
    let service = service("test", &bob)
        .subscribe("public.plans", nothing)
        .start()
        .await
        .unwrap();
    assert_eq!(double(service.client(), 21).await, Ok(42));
}

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
    let late = self::caller(&server.url()).await;
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
async fn the_limit_of_the_server_is_the_limit_of_calls() {
    let server = NatsServer::builder().config("max_payload: 64KB").start().await;
    let text = |size: usize| Json("x".repeat(size));
    let router = Router::new()
        .unary("Size.Of", |_: Context, Json(text): Json<String>| async move {
            Ok(Json(text.len()))
        })
        .unary(
            "Size.Make",
            move |_: Context, Json(size): Json<usize>| async move { Ok(text(size)) },
        );
    let _service = service("test", &server.address())
        .serve(router)
        .start()
        .await
        .unwrap();
    let caller = caller(&elsewhere(&server)).await;
    for size in [40_000, 60_000, 100_000, 1_000_000] {
        let fits = size < 45_000;
        let call = caller
            .client()
            .unary::<_, Json<usize>>("test", "Size.Of", text(size))
            .timeout(LIMIT);
        let sent = call.await.map_err(|status| status.code());
        assert_eq!(
            sent,
            if fits {
                Ok(Json(size))
            } else {
                Err(Code::ResourceExhausted)
            }
        );
        let call = caller
            .client()
            .unary::<_, Json<String>>("test", "Size.Make", Json(size))
            .timeout(LIMIT);
        let made = call
            .await
            .map(|Json(text)| text.len())
            .map_err(|status| status.code());
        assert_eq!(
            made,
            if fits {
                Ok(size)
            } else {
                Err(Code::ResourceExhausted)
            }
        );
    }
    assert_eq!(double(caller.client(), 21).await, Ok(42));
}
