//! Middleware on both sides.

use std::ops::ControlFlow::{Break, Continue};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use micro::layers::{CircuitBreakerLayer, CircuitBreakerOptions, CircuitState, early_answer};
use micro_core::client::Calls;
use micro_core::{Client, Code, Context, Json, Request, Router, Status, Streaming};
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::util::MapRequestLayer;
use tower::{ServiceBuilder, ServiceExt};

use super::ServiceWorld;
use super::process::{PATIENCE, Process, gate, name, named, wait};

/// A client whose layer counts what goes through it.
fn counting(client: &Client) -> (Client, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let layer = tower::layer::layer_fn(move |calls: Calls| {
        let counter = counter.clone();
        tower::service_fn(move |request: Request| {
            counter.fetch_add(1, Ordering::SeqCst);
            calls.clone().oneshot(request)
        })
    });
    (client.layer(layer), count)
}

/// A layer of a client sees each call once, typed ones and streams too; what a call says of its node holds below it.
pub async fn a_layer_of_a_client_sees_every_call(world: &ServiceWorld) {
    let mut instances = Vec::new();
    for node in ["a", "b", "c"] {
        let count =
            |_: Context, Json(to): Json<u64>| async move { Ok((0..to).map(Json).collect::<Streaming<_>>()) };
        let router = named(node).server_stream("Test.Count", count);
        let service = Process::open(world).await.service("test").id(node);
        instances.push(service.serve(router).start().await.unwrap());
    }
    let (client, count) = counting(&Process::open(world).await.client());
    for node in ["a", "b", "c", "b"] {
        let call = client.unary::<_, Json<String>>("test", "Test.Name", Json(()));
        assert_eq!(call.node(node).timeout(PATIENCE).await, Ok(Json(node.to_owned())));
    }
    let numbers = client.server_stream::<_, Json<u64>>("test", "Test.Count", Json(3_u64));
    assert_eq!(numbers.await.unwrap().collect().await.unwrap().len(), 3);
    assert_eq!(count.load(Ordering::SeqCst), 5);
}

/// A call that waits for a layer of its client ends at its deadline, and makes room when it is dropped.
pub async fn a_deadline_bounds_the_layers_too(world: &ServiceWorld) {
    let (mut arrivals, router) = gate();
    let there = Process::open(world)
        .await
        .service("test")
        .serve(router.merge(named("test")));
    let _service = there.start().await.unwrap();
    let here = Process::open(world).await;
    let client = here.client().layer(GlobalConcurrencyLimitLayer::new(1));
    let first = wait(&client, "test");
    let first_arrived = arrivals.recv().await.unwrap();
    let second = client.unary::<_, Json<String>>("test", "Test.Name", Json(()));
    let second = second.timeout(Duration::from_millis(50)).await;
    assert_eq!(second.unwrap_err().code(), Code::DeadlineExceeded);
    first_arrived.send(()).unwrap();
    assert_eq!(first.await.unwrap(), Ok(()));
    assert_eq!(name(&client, "test").await.as_deref(), Ok("test"));
}

/// What tower's layers fail with reaches the caller as what it is.
pub async fn the_errors_of_layers_have_their_codes(world: &ServiceWorld) {
    let (mut arrivals, router) = gate();
    let never = |_: Context, _: Json<()>| std::future::pending::<Result<Json<()>, Status>>();
    let limits = ServiceBuilder::new().load_shed().concurrency_limit(1);
    let there = Process::open(world).await;
    let full = there.service("full").serve(router).layer(limits);
    let full = full.start().await.unwrap();
    let slow = there
        .service("slow")
        .serve(Router::new().unary("Test.Never", never));
    let slow = slow.layer(ServiceBuilder::new().timeout(Duration::from_millis(50)));
    let _slow = slow.start().await.unwrap();
    let client = Process::open(world).await.client();

    let call = client.unary::<_, Json<()>>("slow", "Test.Never", Json(()));
    let status = call.timeout(PATIENCE).await.unwrap_err();
    assert_eq!(
        (status.code(), status.is_never_delivered()),
        (Code::DeadlineExceeded, false)
    );

    let first = wait(&client, "full");
    let arrived = arrivals.recv().await.unwrap();
    let call = client.unary::<_, Json<()>>("full", "Test.Wait", Json(()));
    let status = call.timeout(PATIENCE).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.is_never_delivered());
    arrived.send(()).unwrap();
    assert_eq!(first.await.unwrap(), Ok(()));
    full.shutdown().await.unwrap();
}

/// A client says who it is, and a service says who may.
pub async fn metadata_tells_who_may(world: &ServiceWorld) {
    let guard = early_answer(|request: Request| {
        let who = request.context.metadata().get("Authorization").map(str::to_owned);
        async move {
            match who.as_deref() {
                Some("Bearer admin") => Continue(request),
                Some(_) => Break(Err(Status::permission_denied("admins only"))),
                None => Break(Err(Status::unauthenticated("who are you?"))),
            }
        }
    });
    let there = Process::open(world).await.service("test").serve(named("test"));
    let _service = there.layer(guard).start().await.unwrap();
    let client = Process::open(world).await.client();
    let says = |who: &'static str| {
        client.layer(MapRequestLayer::new(move |mut request: Request| {
            request.context = request.context.with_header("Authorization", who);
            request
        }))
    };
    assert_eq!(
        name(&client, "test").await.unwrap_err().code(),
        Code::Unauthenticated
    );
    let denied = name(&says("Bearer guest"), "test").await.unwrap_err();
    assert_eq!(
        (denied.code(), denied.message()),
        (Code::PermissionDenied, "admins only")
    );
    assert_eq!(name(&says("Bearer admin"), "test").await.as_deref(), Ok("test"));
}

/// An early answer comes without a handler, and one that is never delivered sends its caller to another node.
pub async fn an_early_refusal_is_made_good_by_another_node(world: &ServiceWorld) {
    let closed = || {
        early_answer(|_: Request| async { Break(Err(Status::unavailable("maintained").never_delivered())) })
    };
    let first = Process::open(world).await.service("test").serve(named("first"));
    let _first = first.layer(closed()).start().await.unwrap();
    let client = Process::open(world).await.client();
    let refused = name(&client, "test").await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    let second = Process::open(world).await.service("test").serve(named("second"));
    let _second = second.start().await.unwrap();
    for _ in 0..10 {
        assert_eq!(name(&client, "test").await.as_deref(), Ok("second"));
    }
}

/// A circuit opens on what the other side says, spares it calls, and closes when it is well again.
pub async fn a_circuit_opens_and_closes(world: &ServiceWorld) {
    let (ill, calls) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let (state, counter) = (ill.clone(), calls.clone());
    let router = Router::new().unary("Test.Try", move |_: Context, _: Json<()>| {
        counter.fetch_add(1, Ordering::SeqCst);
        let ill = state.load(Ordering::SeqCst);
        async move {
            match ill {
                true => Err(Status::unavailable("no database")),
                false => Ok(Json(())),
            }
        }
    });
    let service = Process::open(world).await.service("test").serve(router);
    let _service = service.start().await.unwrap();
    let pause = Duration::from_millis(100);
    let options = CircuitBreakerOptions::default().with_minimum_calls(5);
    let breaker = CircuitBreakerLayer::new(options.with_pause(pause, pause));
    let client = Process::open(world).await.client().layer(breaker.clone());
    let call = async || {
        let call = client.unary::<_, Json<()>>("test", "Test.Try", Json(()));
        call.timeout(PATIENCE).await
    };
    for _ in 0..5 {
        let status = call().await.unwrap_err();
        assert!(status.message().contains("no database"), "{status}");
    }
    assert_eq!(breaker.state("test", "Test.Try"), CircuitState::Open);
    ill.store(false, Ordering::SeqCst);
    while let Err(status) = call().await {
        assert!(status.is_never_delivered(), "{status}");
        assert_eq!(calls.load(Ordering::SeqCst), 5);
    }
    assert_eq!(breaker.state("test", "Test.Try"), CircuitState::Closed);
    assert_eq!(calls.load(Ordering::SeqCst), 6);
}
