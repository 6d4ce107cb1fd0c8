//! From a builder to a service that can be reached.

use std::sync::Arc;

use futures::{StreamExt, stream};
use micro::SubscriberOptions;
use micro_core::{Address, Context, ErrorKind, Json, Router, Status};
use tokio::sync::mpsc;

use super::ServiceWorld;
use super::process::{Process, name, named};
use super::refusing::Refusing;

/// A service that says it is ready is reached by a client that asks at that instant: a thousand times, no miss.
pub async fn a_ready_service_is_reached_at_once(world: &ServiceWorld) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let client = here.client();
    let starts = stream::iter(0..1000).map(async |index| {
        let service = format!("service-{index}");
        let started = there.service(&service).serve(named(&service)).start().await;
        let _started = started.unwrap();
        assert_eq!(name(&client, &service).await.as_deref(), Ok(&*service));
    });
    starts.buffer_unordered(16).collect::<Vec<_>>().await;
}

/// An event that is published at the instant when a service is ready reaches it: two hundred times, no miss.
pub async fn a_ready_service_gets_the_next_event(world: &ServiceWorld) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let publisher = micro::Publisher::new(here.broker.clone());
    for index in 0..200_u64 {
        let (heard, mut events) = mpsc::channel(1);
        let handler = move |_: Context, Json(number): Json<u64>| {
            let heard = heard.clone();
            async move {
                heard
                    .send(number)
                    .await
                    .map_err(|_| Status::internal("the clause has ended"))
            }
        };
        let _service = there
            .service("test")
            .subscribe("numbers", handler)
            .start()
            .await
            .unwrap();
        publisher.publish_to("numbers", &Json(index)).await.unwrap();
        assert_eq!(events.recv().await, Some(index));
    }
}

async fn nothing(_: Context, _: Json<u64>) -> Result<(), Status> {
    Ok(())
}

async fn echo(_: Context, number: Json<u64>) -> Result<Json<u64>, Status> {
    Ok(number)
}

/// What can never work is refused before anything is opened, and nobody finds anything of it.
pub async fn a_mistake_is_reported_at_the_start(world: &ServiceWorld) {
    let process = Process::open(world).await;
    let once = || Router::new().unary("Test.Echo", echo);
    let mut mistakes = vec![
        (
            "an endpoint served twice",
            process.service("test").serve(once()).serve(once()),
            ErrorKind::AlreadyExists,
        ),
        (
            "an endpoint of no form",
            process.service("test").serve(Router::new().unary("Echo", echo)),
            ErrorKind::InvalidArgument,
        ),
        (
            "an empty id",
            process.service("test").id(""),
            ErrorKind::InvalidArgument,
        ),
        (
            "the framework's metadata",
            process.service("test").metadata("protocol", "x"),
            ErrorKind::InvalidArgument,
        ),
        (
            "an unknown selector",
            process.service("test").selector("best"),
            ErrorKind::InvalidArgument,
        ),
    ];
    for illegal in ["", " ", "two words", "a.*", ">", "a..b", ".a", "a."] {
        mistakes.push((
            "an illegal name",
            process.service(illegal),
            ErrorKind::InvalidArgument,
        ));
    }
    for illegal in ["", "two words", "a..b", "a.>.b", "x*"] {
        let service = process.service("test").subscribe(illegal, nothing);
        mistakes.push(("an illegal topic", service, ErrorKind::InvalidArgument));
    }
    let options = SubscriberOptions::default().with_queue("two words");
    let service = process
        .service("test")
        .subscribe_with("numbers", options, nothing);
    mistakes.push(("an illegal queue", service, ErrorKind::InvalidArgument));
    for (mistake, service, kind) in mistakes {
        let error = service.start().await.expect_err(mistake);
        assert_eq!(error.kind(), kind, "{mistake}: {error:?}");
    }
    assert_eq!(process.registry.list().await.unwrap(), []);
}

/// A start that fails at its last step leaves its address free and its topics alone.
pub async fn a_failed_start_leaves_nothing_behind(world: &ServiceWorld) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let address: Address = "a.fixed.address".parse().unwrap();
    let (heard, mut events) = mpsc::channel(8);
    let service = || {
        let heard = heard.clone();
        let handler = move |_: Context, Json(number): Json<u64>| {
            let heard = heard.clone();
            async move {
                heard
                    .send(number)
                    .await
                    .map_err(|_| Status::internal("the clause has ended"))
            }
        };
        let service = there
            .service("test")
            .address(address.clone())
            .serve(named("test"));
        service.subscribe("numbers", handler)
    };
    let refusing = Arc::new(Refusing(there.registry.clone()));
    let error = service().registry(refusing).start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let started = service().start().await.unwrap();
    assert_eq!(started.address(), address.as_str());
    assert_eq!(name(&here.client(), "test").await.as_deref(), Ok("test"));
    started.publish_to("numbers", &Json(7_u64)).await.unwrap();
    assert_eq!(events.recv().await, Some(7));
    started.shutdown().await.unwrap();
    assert!(events.try_recv().is_err(), "the first service still subscribes");
}

/// A service listens where it is told, and is dialled where others are told.
pub async fn an_advertised_address_is_dialled(world: &ServiceWorld) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let (real, false_one) = ("a.real.address", "a.false.address");
    let _serving = there
        .service("real")
        .address(real.parse().unwrap())
        .serve(named("real"))
        .start()
        .await
        .unwrap();
    let pointing = there
        .service("pointing")
        .address(false_one.parse().unwrap())
        .advertise(real.parse().unwrap());
    let pointing = pointing.serve(named("wrong")).start().await.unwrap();
    assert_eq!(pointing.address(), real);
    assert_eq!(name(&here.client(), "pointing").await.as_deref(), Ok("real"));
}
