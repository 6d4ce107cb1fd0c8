//! Client and server together, on the memory backends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::Notify;

use crate::memory::{MemoryRegistry, MemoryTransport};
use crate::registry::{Node, RegisterOptions};
use crate::rpc::{Code, Context, Status, Streaming};
use crate::{
    Client, ClientOptions, Json, ListenOptions, Registry, Router, Server, ServerOptions, ServiceRecord,
    Transport,
};

mod expiry;
mod hedging;
mod retries;
mod small_messages;

struct World {
    transport: Arc<dyn Transport>,
    registry: Arc<dyn Registry>,
    client: Client,
}

impl World {
    fn new() -> Self {
        World::with_options(ClientOptions::default())
    }

    fn with_options(options: ClientOptions) -> Self {
        World::on(Arc::new(MemoryTransport::new()), options)
    }

    fn on(transport: Arc<dyn Transport>, options: ClientOptions) -> Self {
        let registry: Arc<dyn Registry> = Arc::new(MemoryRegistry::new());
        let client = Client::builder()
            .transport(transport.clone())
            .registry(registry.clone())
            .options(options)
            .build()
            .unwrap();
        World {
            transport,
            registry,
            client,
        }
    }

    async fn serve(&self, id: &str, router: Router) -> Server {
        let listener = self.transport.listen(ListenOptions::default()).await.unwrap();
        let server = Server::serve(listener, router, ServerOptions::default());
        let mut node = Node::new(id, server.address().as_str());
        node.metadata = server.metadata().clone();
        let record = ServiceRecord::new("test", "1").with_node(node);
        self.registry
            .register(&record, RegisterOptions::default())
            .await
            .unwrap();
        server
    }
}

async fn double(_: Context, Json(n): Json<u64>) -> Result<Json<u64>, Status> {
    Ok(Json(n * 2))
}

async fn count(_: Context, Json(to): Json<u64>) -> Result<Streaming<Json<u64>>, Status> {
    Ok((1..=to).map(Json).collect())
}

async fn sum(_: Context, mut numbers: Streaming<Json<u64>>) -> Result<Json<u64>, Status> {
    let mut sum = 0;
    while let Some(n) = numbers.next().await {
        sum += n?.0;
    }
    Ok(Json(sum))
}

async fn echo(_: Context, numbers: Streaming<Json<u64>>) -> Result<Streaming<Json<u64>>, Status> {
    Ok(numbers)
}

fn router() -> Router {
    Router::new()
        .unary("Test.Double", double)
        .server_stream("Test.Count", count)
        .client_stream("Test.Sum", sum)
        .bidi_stream("Test.Echo", echo)
}

fn values(numbers: Vec<Json<u64>>) -> Vec<u64> {
    numbers.into_iter().map(|n| n.0).collect()
}

#[tokio::test]
async fn all_four_kinds_of_call_are_answered() {
    let world = World::new();
    let _server = world.serve("n", router()).await;
    let Json(n): Json<u64> = world
        .client
        .unary("test", "Test.Double", Json(21_u64))
        .await
        .unwrap();
    assert_eq!(n, 42);
    let counted = world
        .client
        .server_stream("test", "Test.Count", Json(3_u64))
        .await
        .unwrap();
    assert_eq!(values(counted.collect().await.unwrap()), [1, 2, 3]);
    let Json(n): Json<u64> = world
        .client
        .client_stream("test", "Test.Sum", (1..=4_u64).map(Json).collect())
        .await
        .unwrap();
    assert_eq!(n, 10);
    let echoed = world
        .client
        .bidi_stream("test", "Test.Echo", (1..=3_u64).map(Json).collect())
        .await
        .unwrap();
    assert_eq!(values(echoed.collect().await.unwrap()), [1, 2, 3]);
}

#[tokio::test]
async fn a_dropped_call_cancels_its_handler() {
    let world = World::new();
    let (started, ended) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (s, e) = (started.clone(), ended.clone());
    let router = Router::new().unary("Test.Wait", move |_: Context, _: Json<()>| {
        struct Ended(Arc<Notify>);
        impl Drop for Ended {
            fn drop(&mut self) {
                self.0.notify_one();
            }
        }
        let (s, guard) = (s.clone(), Ended(e.clone()));
        async move {
            let _guard = guard;
            s.notify_one();
            std::future::pending::<Result<Json<()>, Status>>().await
        }
    });
    let _server = world.serve("n", router).await;
    let call = world.client.unary::<_, Json<()>>("test", "Test.Wait", Json(()));
    tokio::select! {
        result = async { call.await } => panic!("{result:?}"),
        () = started.notified() => {}
    }
    ended.notified().await;
}

#[tokio::test]
async fn a_dead_node_is_passed_over() {
    let world = World::new();
    let dead = world.serve("dead", router()).await;
    let _alive = world.serve("alive", router()).await;
    drop(dead);
    for _ in 0..20 {
        let Json(n): Json<u64> = world
            .client
            .unary("test", "Test.Double", Json(1_u64))
            .await
            .unwrap();
        assert_eq!(n, 2);
    }
}

#[tokio::test]
async fn a_panic_is_internal_and_the_server_lives() {
    let world = World::new();
    let router = router().unary("Test.Panic", |_: Context, _: Json<u64>| async {
        panic!("on purpose") as Result<Json<u64>, Status>
    });
    let _server = world.serve("n", router).await;
    let status = world
        .client
        .unary::<_, Json<u64>>("test", "Test.Panic", Json(1_u64))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert!(status.message().contains("on purpose"));
    let Json(n): Json<u64> = world
        .client
        .unary("test", "Test.Double", Json(1_u64))
        .await
        .unwrap();
    assert_eq!(n, 2);
}

#[tokio::test(start_paused = true)]
async fn a_nested_call_inherits_what_is_left() {
    let world = World::new();
    let router = Router::new().unary("Test.Left", |context: Context, _: Json<()>| async move {
        Ok(Json(context.remaining().map(|left| left.as_millis() as u64)))
    });
    let _server = world.serve("n", router).await;
    let outer = Context::new().with_timeout(Duration::from_millis(800));
    tokio::time::advance(Duration::from_millis(300)).await;
    let Json(left): Json<Option<u64>> = world
        .client
        .unary("test", "Test.Left", Json(()))
        .context(&outer)
        .await
        .unwrap();
    assert_eq!(left, Some(500));
}

#[tokio::test(start_paused = true)]
async fn shutdown_waits_for_what_runs_and_cuts_the_rest() {
    let world = World::new();
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = calls.clone();
    let router = Router::new().unary("Test.Sleep", move |_: Context, Json(ms): Json<u64>| {
        seen.fetch_add(1, Ordering::SeqCst);
        async move {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Ok(Json(ms))
        }
    });
    let server = world.serve("n", router).await;
    let call = |ms: u64| {
        let client = world.client.clone();
        tokio::spawn(async move { client.unary::<_, Json<u64>>("test", "Test.Sleep", Json(ms)).await })
    };
    let (short, long) = (call(100), call(4_000));
    while calls.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    let report = server.shutdown(Duration::from_secs(1)).await.unwrap();
    assert_eq!((report.finished, report.cut), (1, 1));
    assert_eq!(short.await.unwrap().unwrap().0, 100);
    assert_eq!(long.await.unwrap().unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn an_endless_stream_ends_with_its_reader() {
    let world = World::new();
    let router = Router::new().server_stream("Test.Forever", |_: Context, _: Json<()>| async {
        Ok(Streaming::new(
            futures::stream::iter(0_u64..).map(|n| Ok(Json(n))),
        ))
    });
    let server = world.serve("n", router).await;
    let mut numbers = world
        .client
        .server_stream::<_, Json<u64>>("test", "Test.Forever", Json(()))
        .await
        .unwrap();
    for n in 0..100 {
        assert_eq!(numbers.next().await.unwrap().unwrap().0, n);
    }
    drop(numbers);
    while server.in_flight() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn every_content_type_of_json_is_framed_and_unframed() {
    let world = World::new();
    let _server = world.serve("n", router()).await;
    for content_type in [
        "application/json; charset=utf-8",
        "application/json-rpc",
        "application/grpc+json",
    ] {
        let call = world
            .client
            .unary("test", "Test.Double", Json(4_u64))
            .content_type(content_type);
        let Json(n): Json<u64> = call.await.unwrap();
        assert_eq!(n, 8, "{content_type}");
        let call = world
            .client
            .bidi_stream("test", "Test.Echo", (1..=3_u64).map(Json).collect());
        let echoed: Streaming<Json<u64>> = call.content_type(content_type).await.unwrap();
        assert_eq!(
            values(echoed.collect().await.unwrap()),
            [1, 2, 3],
            "{content_type}"
        );
    }
}

#[tokio::test]
async fn a_content_type_of_another_codec_is_refused() {
    let world = World::new();
    let call = world
        .client
        .unary::<_, Json<u64>>("test", "Test.Double", Json(4_u64));
    let status = call.content_type("application/protobuf").await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
}

#[tokio::test]
async fn a_handler_gets_a_task_of_its_own_once_it_waits_or_others_compute() {
    let world = World::new();
    let router = Router::new().unary("Test.Task", |_: Context, Json(what): Json<String>| async move {
        let before = tokio::task::id().to_string();
        match &*what {
            "wait" => tokio::task::yield_now().await,
            "compute" => std::thread::sleep(Duration::from_millis(1)),
            _ => {}
        }
        Ok(Json((before, tokio::task::id().to_string())))
    });
    let _server = world.serve("n", router).await;
    let call = async |what: &str| {
        let request = Json(what.to_owned());
        let answer = world.client.unary("test", "Test.Task", request).await;
        let Json(tasks): Json<(String, String)> = answer.unwrap();
        tasks
    };
    let (socket, same) = call("").await;
    assert_eq!(socket, same);
    let (before, after) = call("wait").await;
    assert!(before == socket && after != socket, "{before} {after}");
    // Two that take long are enough; one of those before may have been interrupted, and counts then.
    let mut computed = 0;
    while call("compute").await.0 == socket {
        computed += 1;
        assert!(computed <= 2, "{computed} computed in the task of their socket");
    }
    let (before, after) = call("").await;
    assert!(before != socket && before == after, "{before} {after}");
}

/// Allocators hand out what is no larger from their quickest lists, and it is copied when the call is made.
#[tokio::test]
async fn the_future_of_a_call_is_at_most_a_kilobyte() {
    let world = World::new();
    let call = world
        .client
        .unary::<_, Json<u64>>("test", "Test.Double", Json(1_u64));
    let call = std::future::IntoFuture::into_future(call);
    assert!(size_of_val(&*call) <= 1024, "{} bytes", size_of_val(&*call));
}
