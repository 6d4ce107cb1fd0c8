//! Services that stop: in good order, late, and one after the other.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::join_all;
use micro::{Service, SubscriberOptions};
use micro_core::{Action, Client, Code, Context, Json, Status};
use tokio::sync::{mpsc, oneshot};

use super::ServiceWorld;
use super::process::{PATIENCE, Process, gate, name, named, see, wait, wait_at};
use crate::clause::tell;

/// A stop leaves the registry first, finishes what is in flight, and says how much that was.
pub async fn a_stop_leaves_the_registry_and_then_finishes(world: &ServiceWorld) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let (mut arrivals, router) = gate();
    let service = there.service("test").serve(router).start().await.unwrap();
    let mut watcher = here.watch().await;
    let client = here.client();
    let calls = [wait(&client, "test"), wait(&client, "test")];
    let opens = [arrivals.recv().await.unwrap(), arrivals.recv().await.unwrap()];
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(service.run_until(async { stopped.await.unwrap_or_default() }));
    stop.send(()).unwrap();
    see(&mut watcher, Action::Delete).await;
    here.until_gone("test").await;
    assert!(calls.iter().all(|call| !call.is_finished()) && !running.is_finished());
    for open in opens {
        open.send(()).unwrap();
    }
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(()));
    }
    let report = running.await.unwrap().unwrap();
    assert_eq!(
        (report.requests_drained, report.requests_cut, report.events_cut),
        (2, 0, 0)
    );
}

/// What takes longer than the limit is cut, told to its callers, and counted: requests and events.
pub async fn a_stop_says_what_it_cut(world: &ServiceWorld) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let (mut arrivals, router) = gate();
    let (sender, mut begun) = mpsc::channel(8);
    let handler = move |_: Context, _: Json<u64>| wait_at(sender.clone());
    let service = there.service("test").serve(router).subscribe("numbers", handler);
    let service = service
        .shutdown_limit(Duration::from_millis(200))
        .start()
        .await
        .unwrap();
    let client = here.client();
    let calls = [
        wait(&client, "test"),
        wait(&client, "test"),
        wait(&client, "test"),
    ];
    let mut opens = Vec::new();
    for _ in &calls {
        opens.push(arrivals.recv().await.unwrap());
    }
    for number in 0..3_u64 {
        service.publish_to("numbers", &Json(number)).await.unwrap();
    }
    service.publisher().flush().await.unwrap();
    let _open = begun.recv().await.unwrap();
    let report = service.shutdown().await.unwrap();
    assert_eq!(
        (report.requests_drained, report.requests_cut, report.events_cut),
        (0, 3, 3)
    );
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap_err().code(), Code::Unavailable);
    }
}

/// The events that were delivered when a stop began are handled before it ends.
pub async fn a_stop_handles_what_was_delivered(world: &ServiceWorld) {
    let (sender, mut begun) = mpsc::channel(8);
    let handler = move |_: Context, _: Json<u64>| wait_at(sender.clone());
    let service = Process::open(world)
        .await
        .service("test")
        .subscribe("numbers", handler);
    let service = service.start().await.unwrap();
    for number in 0..20_u64 {
        service.publish_to("numbers", &Json(number)).await.unwrap();
    }
    service.publisher().flush().await.unwrap();
    let first = begun.recv().await.unwrap();
    let stopping = tokio::spawn(service.shutdown());
    first.send(()).unwrap();
    for _ in 1..20 {
        begun.recv().await.unwrap().send(()).unwrap();
    }
    assert_eq!(stopping.await.unwrap().unwrap().events_cut, 0);
}

/// A dropped service cuts what it had: its callers are told at once, and its handlers of events end.
pub async fn a_dropped_service_cuts_what_it_had(world: &ServiceWorld) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let (mut arrivals, router) = gate();
    let (sender, mut begun) = mpsc::channel(8);
    let handler = move |_: Context, _: Json<u64>| wait_at(sender.clone());
    let service = there.service("test").serve(router).subscribe("numbers", handler);
    let service = service.start().await.unwrap();
    let call = wait(&here.client(), "test");
    let mut open = arrivals.recv().await.unwrap();
    service.publish_to("numbers", &Json(1_u64)).await.unwrap();
    let mut event = begun.recv().await.unwrap();
    drop(service);
    assert_eq!(call.await.unwrap().unwrap_err().code(), Code::Unavailable);
    open.closed().await;
    event.closed().await;
    here.until_gone("test").await;
}

/// One of three instances in a queue group, which says what events it handled.
async fn instance(world: &ServiceWorld, index: usize, handled: mpsc::Sender<u64>) -> Service {
    let handler = move |_: Context, Json(number): Json<u64>| {
        let handled = handled.clone();
        async move {
            handled
                .send(number)
                .await
                .map_err(|_| Status::internal("the clause has ended"))
        }
    };
    let options = SubscriberOptions::default()
        .with_queue("workers")
        .with_capacity(10_000);
    let service = Process::open(world)
        .await
        .service("test")
        .serve(named(&index.to_string()));
    service
        .subscribe_with("numbers", options, handler)
        .start()
        .await
        .unwrap()
}

/// Three instances are restarted in turn under load: no call fails, and each event is handled by one of them once.
pub async fn restarting_instances_in_turn_loses_nothing(world: &ServiceWorld) {
    const RESTARTS: usize = 6;
    let here = Process::open(world).await;
    let (handled, mut numbers) = mpsc::channel(1 << 20);
    let mut instances = VecDeque::new();
    for index in 0..3 {
        instances.push_back(instance(world, index, handled.clone()).await);
    }
    let enough = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..8)
        .map(|_| tokio::spawn(call_until(here.client(), enough.clone())))
        .collect();
    let publishing = tokio::spawn(publish_until(here.clone(), enough.clone()));
    for index in 3..3 + RESTARTS {
        instances.push_back(instance(world, index, handled.clone()).await);
        let report = instances.pop_front().unwrap().shutdown().await.unwrap();
        assert_eq!((report.requests_cut, report.events_cut), (0, 0));
    }
    enough.store(true, Ordering::Relaxed);
    let calls: usize = join_all(callers).await.into_iter().map(Result::unwrap).sum();
    let published = publishing.await.unwrap();
    for service in instances {
        service.shutdown().await.unwrap();
    }
    drop(handled);
    let mut seen = Vec::new();
    while let Some(number) = numbers.recv().await {
        seen.push(number);
    }
    seen.sort_unstable();
    tell(format_args!(
        "{calls} calls and {published} events over {RESTARTS} restarts"
    ));
    let missing: Vec<_> = (0..published)
        .filter(|number| seen.binary_search(number).is_err())
        .collect();
    assert!(
        missing.is_empty(),
        "{} of {published} events are missing: {missing:?}",
        missing.len()
    );
    assert_eq!(seen.len() as u64, published, "an event was handled twice");
}

async fn call_until(client: Client, enough: Arc<AtomicBool>) -> usize {
    let mut made = 0;
    while !enough.load(Ordering::Relaxed) {
        if let Err(status) = name(&client, "test").await {
            panic!("{status:?} after {made} calls");
        }
        made += 1;
    }
    made
}

/// Publishes numbers, no faster than a call goes round.
async fn publish_until(process: Process, enough: Arc<AtomicBool>) -> u64 {
    let publisher = micro::Publisher::new(process.broker.clone());
    let client = process.client();
    let mut published = 0;
    while !enough.load(Ordering::Relaxed) {
        publisher.publish_to("numbers", &Json(published)).await.unwrap();
        published += 1;
        if published % 4 == 0 {
            tokio::time::timeout(PATIENCE, name(&client, "test"))
                .await
                .unwrap()
                .unwrap();
        }
    }
    publisher.flush().await.unwrap();
    published
}
