//! What is counted and measured of calls and events.

use std::sync::Arc;
use std::time::Duration;

use micro::client::Hedge;
use micro::layers::{CircuitBreakerLayer, CircuitBreakerOptions};
use micro::prelude::*;
use micro::{ServerOptions, SubscriberOptions};
use tokio::sync::Semaphore;

use crate::measured::Measured;
use crate::world::World;

const CODE: &str = "rpc.response.status_code";
const METHOD: &str = "rpc.method";
const TOPIC: &str = "messaging.destination.name";

/// Calls by method and code, at either end, with how long they took.
pub(crate) async fn calls_are_counted_by_their_codes(world: &World) {
    let measured = Measured::here();
    let half = |_: Context, Json(number): Json<u32>| async move {
        match number % 2 {
            0 => Ok(Json(number / 2)),
            _ => Err(Status::failed_precondition("odd")),
        }
    };
    let service = world
        .service("math")
        .serve(Router::new().unary("Math.Half", half));
    let service = service.start().await.unwrap();
    for number in 0..5_u32 {
        let call = service
            .client()
            .unary::<_, Json<u32>>("math", "Math.Half", Json(number));
        assert_eq!(call.await.is_ok(), number % 2 == 0);
    }
    for (end, code, count) in [
        ("client", "OK", 3.0),
        ("client", "FAILED_PRECONDITION", 2.0),
        ("server", "OK", 3.0),
        ("server", "FAILED_PRECONDITION", 2.0),
    ] {
        let labels = [(METHOD, "math/Math.Half"), (CODE, code)];
        measured.until(&format!("rpc.{end}.calls"), &labels, count).await;
        measured
            .until(&format!("rpc.{end}.call.duration"), &labels, count)
            .await;
    }
    let all = measured.all();
    let duration = all
        .iter()
        .find(|series| series.name == "rpc.server.call.duration");
    assert_eq!(duration.unwrap().unit, "s");
}

/// What runs now, at either end, and what was refused because too much did.
pub(crate) async fn what_runs_is_counted_while_it_does(world: &World) {
    let measured = Measured::here();
    let gate = Arc::new(Semaphore::new(0));
    let opened = gate.clone();
    let wait = move |_: Context, _: Json<()>| {
        let opened = opened.clone();
        async move {
            let _permit = opened.acquire().await;
            Ok(Json(()))
        }
    };
    let options = ServerOptions::default().with_max_concurrent_requests(2);
    let service = world
        .service("slow")
        .serve(Router::new().unary("Slow.Wait", wait));
    let service = service.server_options(options).start().await.unwrap();
    let call = || {
        service
            .client()
            .unary::<_, Json<()>>("slow", "Slow.Wait", Json(()))
            .into_future()
    };
    let running = [tokio::spawn(call()), tokio::spawn(call())];
    measured.until("rpc.client.active_requests", &[], 2.0).await;
    measured.until("rpc.server.active_requests", &[], 2.0).await;
    assert_eq!(call().await.unwrap_err().code(), Code::ResourceExhausted);
    measured
        .until("rpc.server.refusals", &[(CODE, "RESOURCE_EXHAUSTED")], 1.0)
        .await;
    gate.add_permits(2);
    for running in running {
        running.await.unwrap().unwrap();
    }
    measured.until("rpc.client.active_requests", &[], 0.0).await;
    measured.until("rpc.server.active_requests", &[], 0.0).await;
}

/// Whatever callers ask for, they make no series of their own, at neither end.
pub(crate) async fn what_is_not_served_makes_no_series(world: &World) {
    let measured = Measured::here();
    let service = world.service("empty").start().await.unwrap();
    for number in 0..100 {
        let endpoint = format!("Made.Up{number}");
        let call = service.client().unary::<_, Json<()>>("empty", endpoint, Json(()));
        assert_eq!(call.await.unwrap_err().code(), Code::Unimplemented);
    }
    let labels = [(METHOD, "_OTHER"), (CODE, "UNIMPLEMENTED")];
    measured.until("rpc.client.calls", &labels, 100.0).await;
    measured.until("rpc.server.calls", &labels, 100.0).await;
    let made_up =
        |series: &crate::measured::Series| series.labels.iter().any(|(_, value)| value.contains("Made"));
    assert!(!measured.all().iter().any(made_up));
}

/// Another attempt is counted by why the one before failed.
pub(crate) async fn other_attempts_are_counted(world: &World) {
    let measured = Measured::here();
    let fine = |_: Context, _: Json<()>| async { Ok(Json(())) };
    let service = world
        .service("test")
        .serve(Router::new().unary("Test.Fine", fine));
    let service = service.start().await.unwrap();
    let gone = micro::Node::new("gone", "nobody.is.here");
    let record = micro::ServiceRecord::new("test", service.version()).with_node(gone);
    service
        .registry()
        .register(&record, Default::default())
        .await
        .unwrap();
    // One of them is the first to be sent to the node that is gone.
    for _ in 0..50 {
        let call = service
            .client()
            .unary::<_, Json<()>>("test", "Test.Fine", Json(()));
        call.await.unwrap();
    }
    let retries = |series: &crate::measured::Series| {
        series.name == "rpc.client.retries" && series.labels == [(CODE.to_owned(), "UNAVAILABLE".to_owned())]
    };
    assert!(measured.all().iter().any(retries), "{:#?}", measured.all());
    measured
        .until(
            "rpc.client.calls",
            &[(METHOD, "test/Test.Fine"), (CODE, "OK")],
            50.0,
        )
        .await;
}

/// Events by topic: published, handled, failed, and lost by cause.
pub(crate) async fn events_are_counted_by_what_became_of_them(world: &World) {
    let measured = Measured::here();
    let gate = Arc::new(Semaphore::new(0));
    let opened = gate.clone();
    let handler = move |_: Context, Json(number): Json<u32>| {
        let opened = opened.clone();
        async move {
            opened.acquire().await.unwrap().forget();
            match number {
                0 => Ok(()),
                _ => Err(Status::internal("a defect")),
            }
        }
    };
    let service = world.service("test");
    let options = SubscriberOptions::default().with_capacity(1);
    let service = service
        .subscribe_with("numbers", options, handler)
        .start()
        .await
        .unwrap();
    service.publish_to("numbers", &Json(0_u32)).await.unwrap();
    measured
        .until("messaging.process.active_messages", &[], 1.0)
        .await;
    for number in 1..=10_u32 {
        service.publish_to("numbers", &Json(number)).await.unwrap();
    }
    gate.add_permits(100);
    let topic = [(TOPIC, "numbers")];
    measured
        .until("messaging.client.sent.messages", &topic, 11.0)
        .await;
    measured
        .until("messaging.client.consumed.messages", &topic, 1.0)
        .await;
    // Whoever was too slow learns of it with the next event.
    while service.events().lost == 0 {
        service.publish_to("numbers", &Json(1_u32)).await.unwrap();
        tokio::task::yield_now().await;
    }
    let counts = service.events();
    measured
        .until(
            "messaging.client.lost.messages",
            &[("cause", "slow"), topic[0]],
            counts.lost as f64,
        )
        .await;
    loop {
        let failed = service.events().failed as f64;
        let labels = [("error.type", "INTERNAL"), topic[0]];
        if measured
            .all()
            .iter()
            .any(|series| series.value == failed && series.labels.len() == 2)
        {
            measured
                .until("messaging.client.consumed.messages", &labels, failed)
                .await;
            break;
        }
        tokio::task::yield_now().await;
    }
    measured
        .until("messaging.process.active_messages", &[], 0.0)
        .await;
}

/// A second attempt is counted by whether it was what the call ended with.
pub(crate) async fn hedges_are_counted_by_what_became_of_them(world: &World) {
    let measured = Measured::here();
    let never = |_: Context, _: Json<()>| std::future::pending::<Result<Json<()>, Status>>();
    let at_once = |_: Context, _: Json<()>| async { Ok(Json(())) };
    let slow = Router::new().unary("Test.Ask", never);
    let fast = Router::new().unary("Test.Ask", at_once);
    let _slow = world.service("test").serve(slow).start().await.unwrap();
    let fast = world.service("test").serve(fast).start().await.unwrap();
    let won = |series: &crate::measured::Series| {
        series.name == "rpc.client.hedges" && series.labels == [("outcome".to_owned(), "won".to_owned())]
    };
    // Half of them go to the slow node first.
    let calls = async {
        while !measured.all().iter().any(won) {
            let call = fast.client().unary::<_, Json<()>>("test", "Test.Ask", Json(()));
            let hedge = Hedge::After(Duration::from_millis(1));
            call.idempotent().hedge(hedge).await.unwrap();
        }
    };
    let made = tokio::time::timeout(Duration::from_secs(60), calls).await;
    assert!(made.is_ok(), "{:#?}", measured.all());
}

/// A circuit is counted when it opens, and each call that it refuses.
pub(crate) async fn circuits_are_counted_when_they_change(world: &World) {
    let measured = Measured::here();
    let fails = |_: Context, _: Json<()>| async { Err::<Json<()>, _>(Status::unavailable("no database")) };
    let service = world
        .service("users")
        .serve(Router::new().unary("Users.Name", fails));
    let service = service.start().await.unwrap();
    let options = CircuitBreakerOptions::default().with_minimum_calls(5);
    let client = service.client().layer(CircuitBreakerLayer::new(options));
    for _ in 0..8 {
        let call = client.unary::<_, Json<()>>("users", "Users.Name", Json(()));
        call.await.unwrap_err();
    }
    let method = (METHOD, "users/Users.Name");
    let opened = [method, ("state", "open")];
    measured.until("micro.circuit.changes", &opened, 1.0).await;
    measured.until("micro.circuit.refusals", &[method], 3.0).await;
}

/// What a transport throws away is counted by why.
#[tokio::test]
async fn what_nobody_can_read_is_counted() {
    let measured = Measured::here();
    let world = World::nats().await;
    let service = world.service("test").start().await.unwrap();
    let World::Nats(server) = &world else {
        unreachable!()
    };
    let stranger = async_nats::connect(server.url()).await.unwrap();
    stranger
        .publish(service.address().to_owned(), "no envelope".into())
        .await
        .unwrap();
    stranger.flush().await.unwrap();
    let labels = [("cause", "unaddressed"), ("component", "transport-nats")];
    measured.until("micro.ignored.messages", &labels, 1.0).await;
}
