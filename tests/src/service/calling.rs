//! Services that call, and what they answer beside their own endpoints.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use micro::service::Routes;
use micro_core::{ClientOptions, Code, Context, Json, Request, Router, Status};
use serde::Deserialize;
use tower::ServiceExt;
use tower::layer::layer_fn;

use super::ServiceWorld;
use super::process::{Process, gate, name, named};

/// What `Debug.Health` answers.
#[derive(Deserialize, serde::Serialize)]
struct Health {
    status: String,
}

/// Every service answers for its health, under go-micro's name, and the registry does not list that.
pub async fn health_is_answered_by_name(world: &ServiceWorld) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let service = there.service("test").start().await.unwrap();
    assert!(service.health().is_ok());
    let call = here.client().unary("test", "Debug.Health", Json(()));
    let Json(Health { status }) = call.await.unwrap();
    assert_eq!(status, "ok");
    assert!(here.find("test").await[0].endpoints.is_empty());
}

/// A service calls others through its own client, and a chain of three hands on deadline and metadata.
pub async fn a_service_calls_others(world: &ServiceWorld) {
    let here = Process::open(world).await;
    let last = Router::new().unary("Last.Tell", |context: Context, _: Json<()>| async move {
        let left = context.remaining().map(|left| left.as_secs());
        Ok(Json((left, context.metadata().get("Trace").map(str::to_owned))))
    });
    let _last = Process::open(world)
        .await
        .service("last")
        .serve(last)
        .start()
        .await
        .unwrap();
    let middle = Process::open(world).await;
    let client = middle.client();
    let passing = Router::new().unary("Middle.Tell", move |context: Context, _: Json<()>| {
        let call = client.unary("last", "Last.Tell", Json(())).context(&context);
        async move { call.await as Result<Json<(Option<u64>, Option<String>)>, Status> }
    });
    let _middle = middle.service("middle").serve(passing).start().await.unwrap();
    let first = here.service("first").start().await.unwrap();
    let call = first.client().unary("middle", "Middle.Tell", Json(()));
    let call = call.timeout(Duration::from_secs(60)).header("Trace", "abc");
    let Json((left, trace)): Json<(Option<u64>, Option<String>)> = call.await.unwrap();
    assert!((50..60).contains(&left.unwrap()), "{left:?}");
    assert_eq!(trace.as_deref(), Some("abc"));
}

/// Middleware around a service sees each request of others once.
pub async fn a_layer_sees_every_request(world: &ServiceWorld) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = seen.clone();
    let layer = layer_fn(move |routes: Routes| {
        let counter = counter.clone();
        tower::service_fn(move |request: Request| {
            counter.fetch_add(1, Ordering::SeqCst);
            routes.clone().oneshot(request)
        })
    });
    let _service = there
        .service("test")
        .serve(named("test"))
        .layer(layer)
        .start()
        .await
        .unwrap();
    let client = here.client();
    for _ in 0..10 {
        assert_eq!(name(&client, "test").await.as_deref(), Ok("test"));
    }
    assert_eq!(seen.load(Ordering::SeqCst), 10);
}

/// The client of a service has the selector and the limits that the service was given.
pub async fn the_client_is_as_it_was_set(world: &ServiceWorld) {
    let mut instances = Vec::new();
    for node in ["a", "b", "c"] {
        let service = Process::open(world).await.service("test").serve(named(node));
        instances.push(service.start().await.unwrap());
    }
    let (mut arrivals, router) = gate();
    let _slow = Process::open(world)
        .await
        .service("slow")
        .serve(router)
        .start()
        .await
        .unwrap();
    let options = ClientOptions::default().with_request_timeout(Duration::from_secs(1));
    let caller = Process::open(world)
        .await
        .service("caller")
        .selector("round_robin");
    let caller = caller.client_options(options).start().await.unwrap();
    let mut shares = BTreeMap::new();
    for _ in 0..30 {
        *shares
            .entry(name(caller.client(), "test").await.unwrap())
            .or_insert(0) += 1;
    }
    assert!(
        shares.len() == 3 && shares.values().all(|share| *share == 10),
        "{shares:?}"
    );
    let call = caller
        .client()
        .unary::<_, Json<()>>("slow", "Test.Wait", Json(()));
    let (outcome, arrival) = tokio::join!(async { call.await }, arrivals.recv());
    assert_eq!(outcome.unwrap_err().code(), Code::DeadlineExceeded);
    drop(arrival);
}
