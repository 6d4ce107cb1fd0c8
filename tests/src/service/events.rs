//! Events that services publish and are told of.

use std::collections::BTreeMap;

use micro::{EventCounts, Service, SubscriberOptions};
use micro_core::{Context, Event, Headers, Json, Message, Status};
use tokio::sync::mpsc;

use super::ServiceWorld;
use super::process::{Process, name, named};

/// What instances heard: who, and what.
type Heard = mpsc::Receiver<(usize, u64)>;

/// Three instances, in a queue group or not, and what they hear.
async fn three(world: &ServiceWorld, queue: Option<&str>) -> (Vec<Service>, Heard) {
    let (sender, heard) = mpsc::channel(4096);
    let mut instances = Vec::new();
    for instance in 0..3 {
        let sender = sender.clone();
        let handler = move |_: Context, Json(number): Json<u64>| {
            let sender = sender.clone();
            async move {
                sender
                    .send((instance, number))
                    .await
                    .map_err(|_| Status::internal("the clause has ended"))
            }
        };
        let options = SubscriberOptions::default();
        let options = match queue {
            Some(queue) => options.with_queue(queue),
            None => options,
        };
        let service = Process::open(world).await.service("test");
        instances.push(
            service
                .subscribe_with("numbers", options, handler)
                .start()
                .await
                .unwrap(),
        );
    }
    (instances, heard)
}

async fn publish(world: &ServiceWorld, numbers: std::ops::Range<u64>) {
    let publisher = micro::Publisher::new(Process::open(world).await.broker);
    for number in numbers {
        publisher.publish_to("numbers", &Json(number)).await.unwrap();
    }
    publisher.flush().await.unwrap();
}

/// Each event goes to one instance of a queue group, and every instance gets a share.
pub async fn a_queue_group_of_instances_shares_the_events(world: &ServiceWorld) {
    const EVENTS: u64 = 600;
    let (_instances, mut heard) = three(world, Some("workers")).await;
    publish(world, 0..EVENTS).await;
    let (mut shares, mut numbers) = (BTreeMap::new(), Vec::new());
    for _ in 0..EVENTS {
        let (instance, number) = heard.recv().await.unwrap();
        *shares.entry(instance).or_insert(0) += 1;
        numbers.push(number);
    }
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..EVENTS));
    assert!(
        shares.len() == 3 && shares.values().all(|share| *share > 50),
        "{shares:?}"
    );
}

/// Without a queue group every instance gets every event, in the order in which one publisher sent them.
pub async fn every_instance_gets_every_event(world: &ServiceWorld) {
    const EVENTS: u64 = 100;
    let (_instances, mut heard) = three(world, None).await;
    publish(world, 0..EVENTS).await;
    let mut numbers = BTreeMap::<usize, Vec<u64>>::new();
    for _ in 0..3 * EVENTS {
        let (instance, number) = heard.recv().await.unwrap();
        numbers.entry(instance).or_default().push(number);
    }
    assert_eq!(numbers.len(), 3);
    for (instance, numbers) in numbers {
        assert!(numbers.into_iter().eq(0..EVENTS), "instance {instance}");
    }
}

/// A handler that fails, panics, or cannot read its event is counted, and the next event is handled.
pub async fn a_handler_that_fails_gets_the_next_event(world: &ServiceWorld) {
    let service = Process::open(world).await.service("test").serve(named("test"));
    let handler = |_: Context, Json(number): Json<u64>| async move {
        match number {
            0 => panic!("on purpose"),
            1 => Err(Status::internal("on purpose")),
            _ => Ok(()),
        }
    };
    let service = service.subscribe("numbers", handler).start().await.unwrap();
    publish(world, 0..3).await;
    let other = Process::open(world).await;
    other.broker.publish("numbers", Message::new("{")).await.unwrap();
    let csv = Message::new("1").with_header("Content-Type", "text/csv");
    other.broker.publish("numbers", csv).await.unwrap();
    other.broker.flush().await.unwrap();
    let counts = counts_that(&service, |counts| {
        counts.handled + counts.failed + counts.undecodable == 5
    })
    .await;
    assert_eq!((counts.handled, counts.failed, counts.undecodable), (1, 2, 2));
    assert_eq!(name(&other.client(), "test").await.as_deref(), Ok("test"));
    publish(world, 5..6).await;
    counts_that(&service, |counts| counts.handled == 2).await;
}

async fn counts_that(service: &Service, is: impl Fn(&EventCounts) -> bool) -> EventCounts {
    loop {
        let counts = service.events();
        if is(&counts) {
            return counts;
        }
        tokio::task::yield_now().await;
    }
}

/// A handler by wildcard learns the topic, the headers and the body of each event.
pub async fn an_event_arrives_whole(world: &ServiceWorld) {
    let (sender, mut heard) = mpsc::channel(4);
    let handler = move |context: Context, event: Event| {
        let sender = sender.clone();
        async move {
            sender
                .send((context, event))
                .await
                .map_err(|_| Status::internal("the clause has ended"))
        }
    };
    let process = Process::open(world).await;
    let service = process
        .service("test")
        .subscribe_raw("orders.>", SubscriberOptions::default(), handler);
    let _service = service.start().await.unwrap();
    let publisher = micro::Publisher::new(Process::open(world).await.broker);
    let headers = Headers::from_iter([("Zone", "čeština 🦀")]);
    publisher
        .publish_with("orders.eu.new", &Json("new".to_owned()), headers)
        .await
        .unwrap();
    let (context, event) = heard.recv().await.unwrap();
    assert_eq!(
        (event.topic.as_str(), &event.body()[..]),
        ("orders.eu.new", &b"\"new\"\n"[..])
    );
    assert_eq!(event.headers().get("Content-Type"), Some("application/json"));
    assert_eq!(event.headers().get("Micro-Topic"), Some("orders.eu.new"));
    assert_eq!(context.metadata(), &Headers::from_iter([("Zone", "čeština 🦀")]));
}

/// What is handled may be published again: a chain of services works as one.
pub async fn a_handler_may_publish(world: &ServiceWorld) {
    let (sender, mut heard) = mpsc::channel(64);
    let (first, second) = (Process::open(world).await, Process::open(world).await);
    let publisher = micro::Publisher::new(first.broker.clone());
    let passing = move |_: Context, Json(number): Json<u64>| {
        let publisher = publisher.clone();
        async move { Ok(publisher.publish_to("doubled", &Json(number * 2)).await?) }
    };
    let hearing = move |_: Context, Json(number): Json<u64>| {
        let sender = sender.clone();
        async move {
            sender
                .send(number)
                .await
                .map_err(|_| Status::internal("the clause has ended"))
        }
    };
    let _passing = first
        .service("first")
        .subscribe("numbers", passing)
        .start()
        .await
        .unwrap();
    let _hearing = second
        .service("second")
        .subscribe("doubled", hearing)
        .start()
        .await
        .unwrap();
    publish(world, 0..50).await;
    for number in 0..50 {
        assert_eq!(heard.recv().await, Some(number * 2));
    }
}

/// Publishing what nobody subscribes to is not an error; an illegal topic is one.
pub async fn publishing_needs_no_subscriber(world: &ServiceWorld) {
    let service = Process::open(world).await.service("test").start().await.unwrap();
    service
        .publish_to("nobody.hears.this", &Json(1_u64))
        .await
        .unwrap();
    for illegal in ["", "a b", "a.*", ">"] {
        let error = service.publish_to(illegal, &Json(1_u64)).await.unwrap_err();
        assert_eq!(
            error.kind(),
            micro_core::ErrorKind::InvalidArgument,
            "{illegal:?}"
        );
    }
}
