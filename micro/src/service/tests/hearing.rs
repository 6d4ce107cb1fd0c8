//! Events.

use futures::StreamExt;
use micro_core::broker::{BrokerCapabilities, Overflow};
use micro_core::{Broker, SubscribeOptions, Subscription};

use super::registration::health_that;
use super::*;

#[tokio::test]
async fn an_event_arrives_with_its_headers() {
    let (heard, mut events) = mpsc::channel(1);
    let service = World::default()
        .service("greeter")
        .subscribe("numbers", move |context: Context, Json(number): Json<u32>| {
            let heard = heard.clone();
            async move {
                let zone = context.metadata().get("Zone").unwrap_or_default().to_owned();
                heard
                    .send((number, zone))
                    .await
                    .map_err(|e| Status::internal(e.to_string()))
            }
        })
        .start()
        .await
        .unwrap();
    let headers = Headers::from_iter([("Zone", "a")]);
    service
        .publisher()
        .publish_with("numbers", &Json(7_u32), headers)
        .await
        .unwrap();
    assert_eq!(events.recv().await, Some((7, "a".to_owned())));
    let refused = Headers::from_iter([("Micro-ID", "1")]);
    let error = service
        .publisher()
        .publish_with("numbers", &Json(7_u32), refused)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[tokio::test]
async fn a_published_event_carries_go_micros_headers() {
    let (heard, mut events) = mpsc::channel(1);
    let service = World::default()
        .service("greeter")
        .subscribe_raw(
            "numbers.*",
            SubscriberOptions::default(),
            move |_: Context, event: Event| {
                let heard = heard.clone();
                async move {
                    heard
                        .send(event)
                        .await
                        .map_err(|e| Status::internal(e.to_string()))
                }
            },
        )
        .start()
        .await
        .unwrap();
    service.publish_to("numbers.odd", &Json(7_u32)).await.unwrap();
    let event = events.recv().await.unwrap();
    assert_eq!(
        (event.topic.as_str(), &event.body()[..]),
        ("numbers.odd", &b"7\n"[..])
    );
    assert_eq!(event.headers().get("Content-Type"), Some("application/json"));
    assert_eq!(event.headers().get("Micro-Topic"), Some("numbers.odd"));
    assert!(
        event
            .headers()
            .get("Micro-ID")
            .unwrap()
            .parse::<uuid::Uuid>()
            .is_ok()
    );
}

#[tokio::test]
async fn every_event_that_comes_to_nothing_is_counted() {
    let world = World::default();
    let service = world
        .service("greeter")
        .subscribe("numbers", |_: Context, Json(number): Json<u32>| async move {
            match number {
                0 => panic!("zero"),
                1 => Err(Status::internal("one")),
                _ => Ok(()),
            }
        })
        .start()
        .await
        .unwrap();
    for number in [0_u32, 1, 2] {
        service.publish_to("numbers", &Json(number)).await.unwrap();
    }
    service
        .broker()
        .publish("numbers", Message::new("{"))
        .await
        .unwrap();
    let csv = Message::new("1").with_header("Content-Type", "text/csv");
    service.broker().publish("numbers", csv).await.unwrap();
    let counts = counts_that(&service, |counts| counts.undecodable == 2).await;
    assert_eq!((counts.handled, counts.failed, counts.undecodable), (1, 2, 2));
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

/// A subscriber that begins, says so, and ends when it is let.
pub(super) fn slow_subscriber(
    builder: ServiceBuilder,
    options: SubscriberOptions,
) -> (ServiceBuilder, mpsc::Receiver<(u32, oneshot::Sender<()>)>) {
    let (begun, gates) = mpsc::channel(8);
    let handler = move |_: Context, Json(number): Json<u32>| {
        let begun = begun.clone();
        async move {
            let (open, gate) = oneshot::channel();
            begun
                .send((number, open))
                .await
                .map_err(|e| Status::internal(e.to_string()))?;
            gate.await.map_err(|e| Status::internal(e.to_string()))
        }
    };
    (builder.subscribe_with("numbers", options, handler), gates)
}

#[tokio::test]
async fn what_a_slow_handler_loses_is_counted() {
    let options = SubscriberOptions::default().with_capacity(2);
    let (builder, mut gates) = slow_subscriber(World::default().service("greeter"), options);
    let service = builder.start().await.unwrap();
    service.publish_to("numbers", &Json(0_u32)).await.unwrap();
    let (_, first) = gates.recv().await.unwrap();
    for number in 1..=5_u32 {
        service.publish_to("numbers", &Json(number)).await.unwrap();
    }
    first.send(()).unwrap();
    let (number, _shut) = gates.recv().await.unwrap();
    assert_eq!((number, service.events().lost), (1, 3));
}

#[tokio::test]
async fn a_full_instance_pauses_and_says_so() {
    let world = World::default();
    let group = SubscriberOptions::default().with_queue("workers");
    let pausing = group.clone().with_capacity(2).with_overflow(Overflow::Pause);
    let (builder, mut gates) = slow_subscriber(world.service("slow"), pausing);
    let slow = builder.start().await.unwrap();
    slow.publish_to("numbers", &Json(0_u32)).await.unwrap();
    let (_, first) = gates.recv().await.unwrap();
    let other = world.service("other").subscribe_with("numbers", group, on_number);
    let other = other.start().await.unwrap();
    for number in 1..=100_u32 {
        slow.publish_to("numbers", &Json(number)).await.unwrap();
    }
    counts_that(&other, |counts| counts.handled == 98).await;
    let counts = counts_that(&slow, |counts| counts.pauses == 1).await;
    assert_eq!((counts.lost, counts.missed), (0, 0));
    first.send(()).unwrap();
    // Half of what waited is read, so it is back.
    let (_, second) = gates.recv().await.unwrap();
    for number in 101..=200_u32 {
        slow.publish_to("numbers", &Json(number)).await.unwrap();
    }
    counts_that(&slow, |counts| counts.pauses == 2).await;
    second.send(()).unwrap();
}

#[tokio::test]
async fn what_cannot_pause_is_refused_before_anything_is_opened() {
    let pausing = SubscriberOptions::default().with_overflow(Overflow::Pause);
    let plain = World::default()
        .service("plain")
        .subscribe_with("numbers", pausing.clone(), on_number);
    let error = plain.start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let group = pausing.with_queue("workers");
    let unable = World::default()
        .service("unable")
        .broker(Arc::new(Brief::default()));
    let error = unable
        .subscribe_with("numbers", group, on_number)
        .start()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn events_are_handled_one_after_the_other_unless_told_otherwise() {
    let (builder, mut gates) = slow_subscriber(World::default().service("one"), SubscriberOptions::default());
    let service = builder.start().await.unwrap();
    for number in 0..2_u32 {
        service.publish_to("numbers", &Json(number)).await.unwrap();
    }
    let (_, first) = gates.recv().await.unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(gates.try_recv().is_err());
    first.send(()).unwrap();
    assert_eq!(gates.recv().await.unwrap().0, 1);

    let options = SubscriberOptions::default().with_concurrency(2);
    let (builder, mut gates) = slow_subscriber(World::default().service("two"), options);
    let service = builder.start().await.unwrap();
    for number in 0..2_u32 {
        service.publish_to("numbers", &Json(number)).await.unwrap();
    }
    let _both = (gates.recv().await.unwrap(), gates.recv().await.unwrap());
}

/// A broker whose subscriptions end when they are told to, and that counts flushes.
#[derive(Debug, Default)]
struct Brief {
    inner: MemoryBroker,
    ends: Arc<Notify>,
    flushed: AtomicU64,
}

#[async_trait]
impl Broker for Brief {
    fn name(&self) -> &'static str {
        "brief"
    }

    fn capabilities(&self) -> BrokerCapabilities {
        BrokerCapabilities::default()
    }

    async fn publish(&self, topic: &str, message: Message) -> Result<()> {
        self.inner.publish(topic, message).await
    }

    async fn flush(&self) -> Result<()> {
        self.flushed.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn subscribe(&self, topic: &str, options: SubscribeOptions) -> Result<Subscription> {
        let events = self.inner.subscribe(topic, options).await?;
        let ends = self.ends.clone();
        let events = events.take_until(async move { ends.notified().await });
        Ok(Subscription::new(topic, events, async { Ok(()) }))
    }
}

#[tokio::test]
async fn a_subscription_that_ends_degrades_the_service() {
    let broker = Arc::new(Brief::default());
    let service = World::default()
        .service("greeter")
        .broker(broker.clone())
        .subscribe("numbers", on_number)
        .start()
        .await
        .unwrap();
    assert!(service.health().is_ok());
    broker.ends.notify_one();
    let degraded = health_that(&service, |health| !health.is_ok()).await;
    let Health::Degraded { reasons } = degraded else {
        panic!("{degraded:?}")
    };
    assert_eq!(reasons, ["the subscription to \"numbers\" has ended"]);
}

#[tokio::test]
async fn a_stop_waits_until_what_was_published_is_out() {
    let broker = Arc::new(Brief::default());
    let builder = World::default().service("greeter").broker(broker.clone());
    builder.start().await.unwrap().shutdown().await.unwrap();
    assert_eq!(broker.flushed.load(Ordering::SeqCst), 1);
}
