//! Servers that restart, die, or fall silent.

use std::time::{Duration, Instant};

use micro_conformance::nats_server::{NatsCluster, NatsServer};
use micro_core::{Code, Context, ErrorKind, Json, Router, Status};
use tokio::sync::mpsc;

use crate::{AT_ONCE, LIMIT, caller, double, elsewhere, hearing, service, until_answered, until_heard};

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
    let late = crate::caller(&server.url()).await;
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
    assert!(status.message().contains("service: test"), "{status}");
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
    // What one server knows, the others learn a little later.
    until_answered(caller.client()).await;
    // First the one that the service is connected to, and then the caller's.
    for lost in [0, 1] {
        cluster.server(lost).kill().await;
        println!("called again after {:?}", until_answered(caller.client()).await);
        until_heard(&caller, &mut heard).await;
        cluster.server(lost).restart().await;
        cluster.until_joined().await;
    }
}
