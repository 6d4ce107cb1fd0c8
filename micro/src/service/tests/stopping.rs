//! How a service ends.

use super::hearing::slow_subscriber;
use super::*;

/// An endpoint that begins, says so, and answers when it is let.
fn gate() -> (Router, mpsc::Receiver<oneshot::Sender<()>>) {
    let (begun, gates) = mpsc::channel(8);
    let slow = move |_: Context, Json(name): Json<String>| {
        let begun = begun.clone();
        async move {
            let (open, gate) = oneshot::channel();
            begun
                .send(open)
                .await
                .map_err(|e| Status::internal(e.to_string()))?;
            gate.await.map_err(|e| Status::internal(e.to_string()))?;
            Ok(Json(format!("Hello {name}")))
        }
    };
    (Router::new().unary("Greeter.Hello", slow), gates)
}

#[tokio::test]
async fn a_stop_leaves_the_registry_and_finishes_what_is_in_flight() {
    let (world, (router, mut gates)) = (World::default(), gate());
    let mut changes = world.registry.watch(WatchOptions::default()).await.unwrap();
    let service = world.service("greeter").serve(router).start().await.unwrap();
    let caller = world.service("caller").start().await.unwrap();
    let answer = tokio::spawn(async move { call(&caller, "greeter").await });
    let open = gates.recv().await.unwrap();
    let stop = tokio::spawn(service.shutdown());
    while changes.recv().await.unwrap().action != Action::Delete {}
    open.send(()).unwrap();
    assert_eq!(answer.await.unwrap().unwrap(), "Hello Ada");
    let report = stop.await.unwrap().unwrap();
    assert_eq!((report.requests_drained, report.requests_cut), (1, 0));
}

#[tokio::test]
async fn a_stop_cuts_what_takes_longer_than_its_limit_and_says_so() {
    let (world, (router, mut gates)) = (World::default(), gate());
    let service = world
        .service("greeter")
        .serve(router)
        .shutdown_limit(Duration::from_millis(50))
        .start()
        .await
        .unwrap();
    let caller = world.service("caller").start().await.unwrap();
    let answer = tokio::spawn(async move { call(&caller, "greeter").await });
    let _shut = gates.recv().await.unwrap();
    let report = service.shutdown().await.unwrap();
    assert_eq!((report.requests_drained, report.requests_cut), (0, 1));
    assert_eq!(answer.await.unwrap().unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn run_until_ends_with_its_future() {
    let world = World::default();
    let service = world.service("greeter").start().await.unwrap();
    service.run_until(async {}).await.unwrap();
    assert_eq!(
        world.registry.get("greeter").await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn a_stop_handles_the_events_that_were_delivered() {
    let (builder, mut gates) =
        slow_subscriber(World::default().service("greeter"), SubscriberOptions::default());
    let service = builder.start().await.unwrap();
    for number in 0..3_u32 {
        service.publish_to("numbers", &Json(number)).await.unwrap();
    }
    let stop = tokio::spawn(service.shutdown());
    for number in 0..3_u32 {
        let (event, open) = gates.recv().await.unwrap();
        assert_eq!(event, number);
        open.send(()).unwrap();
    }
    assert_eq!(stop.await.unwrap().unwrap().events_cut, 0);
}

#[tokio::test]
async fn a_stop_counts_the_events_that_it_cuts() {
    let builder = World::default()
        .service("greeter")
        .shutdown_limit(Duration::from_millis(50));
    let (builder, mut gates) = slow_subscriber(builder, SubscriberOptions::default());
    let service = builder.start().await.unwrap();
    for number in 0..3_u32 {
        service.publish_to("numbers", &Json(number)).await.unwrap();
    }
    let _shut = gates.recv().await.unwrap();
    assert_eq!(service.shutdown().await.unwrap().events_cut, 3);
}

#[test]
fn a_drop_needs_no_runtime() {
    let world = World::default();
    let start = || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let builder = world.service("greeter").subscribe("numbers", on_number);
        let service = runtime.block_on(builder.start()).unwrap();
        (runtime, service)
    };
    let (runtime, service) = start();
    drop(service);
    drop(runtime);
    let (runtime, service) = start();
    drop(runtime);
    drop(service);
}
