use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use micro_core::memory::{MemoryBroker, MemoryRegistry, MemoryTransport};
use micro_core::registry::{RegisterOptions, WatchOptions};
use micro_core::{
    Action, Address, Code, Context, Error, ErrorKind, Event, Headers, Json, Message, Registry, Router,
    Status, Watcher,
};
use tokio::sync::{Notify, mpsc, oneshot};

use micro_core::{Request, Response};

use super::*;
use crate::SubscriberOptions;

/// A world of its own, in which several services meet.
#[derive(Clone, Default)]
struct World {
    transport: MemoryTransport,
    broker: MemoryBroker,
    registry: MemoryRegistry,
}

impl World {
    fn service(&self, name: &str) -> ServiceBuilder {
        Service::builder(name)
            .transport(Arc::new(self.transport.clone()))
            .broker(Arc::new(self.broker.clone()))
            .registry(Arc::new(self.registry.clone()))
    }
}

async fn hello(_: Context, Json(name): Json<String>) -> Result<Json<String>, Status> {
    Ok(Json(format!("Hello {name}")))
}

fn greeter() -> Router {
    Router::new().unary("Greeter.Hello", hello)
}

async fn call(service: &Service, name: &'static str) -> Result<String, Status> {
    let Json(reply) = service
        .client()
        .unary(name, "Greeter.Hello", Json("Ada".to_owned()))
        .await?;
    Ok(reply)
}

#[tokio::test]
async fn a_started_service_is_called_at_once() {
    let service = World::default()
        .service("greeter")
        .serve(greeter())
        .start()
        .await
        .unwrap();
    assert_eq!(call(&service, "greeter").await.unwrap(), "Hello Ada");
    assert!(service.health().is_ok());
    service.shutdown().await.unwrap();
}

#[tokio::test]
async fn the_registry_is_told_what_go_micro_needs() {
    let service = World::default()
        .service("greeter")
        .version("1.2.0")
        .metadata("zone", "a")
        .serve(greeter())
        .subscribe_queue("events.hello", "workers", on_number)
        .start()
        .await
        .unwrap();
    let records = service.registry().get("greeter").await.unwrap();
    let [record] = &records[..] else {
        panic!("{records:?}")
    };
    assert_eq!(record, service.record());
    assert_eq!(
        (record.name.as_str(), record.version.as_str()),
        ("greeter", "1.2.0")
    );
    let node = &record.nodes[0];
    assert!(
        node.id.starts_with("greeter-") && node.id.len() == "greeter-".len() + 36,
        "{}",
        node.id
    );
    for (key, value) in [
        ("protocol", "mucp"),
        ("server", "mucp"),
        ("transport", "memory"),
        ("broker", "memory"),
        ("registry", "memory"),
        ("zone", "a"),
    ] {
        assert_eq!(node.metadata.get(key).map(String::as_str), Some(value), "{key}");
    }
    let names: Vec<_> = record
        .endpoints
        .iter()
        .map(|endpoint| endpoint.name.as_str())
        .collect();
    assert_eq!(names, ["Greeter.Hello", "on_number"], "Debug.Health is not told");
    let metadata = &record.endpoints[1].metadata;
    assert_eq!(metadata["topic"], "events.hello");
    assert_eq!(metadata["subscriber"], "true");
}

async fn on_number(_: Context, Json(_): Json<u32>) -> Result<(), Status> {
    Ok(())
}

#[tokio::test]
async fn the_version_is_latest_where_nobody_says() {
    let service = World::default().service("greeter").start().await.unwrap();
    assert_eq!((service.name(), service.version()), ("greeter", "latest"));
}

#[tokio::test]
async fn debug_health_is_called_by_name() {
    let service = World::default().service("greeter").start().await.unwrap();
    let request = Request::new("greeter", "Debug.Health", bytes::Bytes::from_static(b"{}\n"));
    let answer = service.client().send(request).await.unwrap().body.into_one();
    assert_eq!(answer, "{\"status\":\"ok\"}\n");
}

#[tokio::test]
async fn a_mistake_is_reported_before_anything_is_opened() {
    let world = World::default();
    let twice = world.service("greeter").serve(greeter()).serve(greeter());
    assert_eq!(twice.start().await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    for builder in [
        world.service("two words"),
        world.service("greeter").subscribe("a b", on_number),
        world.service("greeter").selector("best"),
        world.service("greeter").metadata("transport", "pigeon"),
        world
            .service("greeter")
            .broker_plugin(crate::PluginChoice::new("pigeon")),
    ] {
        assert_eq!(
            builder.start().await.unwrap_err().kind(),
            ErrorKind::InvalidArgument
        );
    }
    assert!(world.registry.list().await.unwrap().is_empty());
}

/// A registry that refuses while it is told to.
#[derive(Debug, Default)]
struct Moody {
    inner: MemoryRegistry,
    refuses: AtomicBool,
    registered: AtomicU64,
    changed: Notify,
}

#[async_trait]
impl Registry for Moody {
    fn name(&self) -> &'static str {
        "moody"
    }

    async fn register(&self, service: &ServiceRecord, options: RegisterOptions) -> Result<()> {
        self.registered.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_one();
        match self.refuses.load(Ordering::SeqCst) {
            true => Err(Error::new(ErrorKind::Unavailable, "the registry is away")),
            false => self.inner.register(service, options).await,
        }
    }

    async fn deregister(&self, service: &ServiceRecord) -> Result<()> {
        self.inner.deregister(service).await
    }

    async fn get(&self, name: &str) -> Result<Vec<ServiceRecord>> {
        self.inner.get(name).await
    }

    async fn list(&self) -> Result<Vec<ServiceRecord>> {
        self.inner.list().await
    }

    async fn watch(&self, options: WatchOptions) -> Result<Watcher> {
        self.inner.watch(options).await
    }
}

#[tokio::test]
async fn a_failed_start_leaves_nothing_behind() {
    let (world, moody) = (World::default(), Arc::new(Moody::default()));
    moody.refuses.store(true, Ordering::SeqCst);
    let address: Address = "greeter.here".parse().unwrap();
    let (events, mut heard) = mpsc::channel(8);
    let builder = || {
        let events = events.clone();
        world
            .service("greeter")
            .registry(moody.clone())
            .address(address.clone())
            .subscribe("numbers", move |_: Context, Json(number): Json<u32>| {
                let events = events.clone();
                async move {
                    events
                        .send(number)
                        .await
                        .map_err(|e| Status::internal(e.to_string()))
                }
            })
    };
    let error = builder().start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    moody.refuses.store(false, Ordering::SeqCst);
    let service = builder().start().await.unwrap();
    assert_eq!(service.address(), "greeter.here");
    service.publish("numbers", &Json(7_u32)).await.unwrap();
    assert_eq!(heard.recv().await, Some(7));
    let report = service.shutdown().await.unwrap();
    assert_eq!(report.events_cut, 0);
    assert!(heard.try_recv().is_err(), "the first service still subscribes");
}

#[tokio::test(start_paused = true)]
async fn a_failed_refresh_degrades_until_it_succeeds() {
    let (world, moody) = (World::default(), Arc::new(Moody::default()));
    let service = world
        .service("greeter")
        .registry(moody.clone())
        .start()
        .await
        .unwrap();
    moody.refuses.store(true, Ordering::SeqCst);
    moody.changed.notified().await;
    moody.changed.notified().await;
    let degraded = health_that(&service, |health| !health.is_ok()).await;
    let Health::Degraded { reasons } = degraded else {
        panic!("{degraded:?}")
    };
    assert!(reasons[0].contains("the registry is away"), "{reasons:?}");
    moody.refuses.store(false, Ordering::SeqCst);
    moody.changed.notified().await;
    health_that(&service, Health::is_ok).await;
}

async fn health_that(service: &Service, is: impl Fn(&Health) -> bool) -> Health {
    loop {
        let health = service.health();
        if is(&health) {
            return health;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_registration_outlives_its_ttl_while_the_service_lives() {
    let world = World::default();
    let service = world
        .service("greeter")
        .register_ttl(Duration::from_secs(3))
        .start()
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(
        world.registry.get("greeter").await.unwrap()[0].nodes[0].id,
        service.id()
    );
}

#[tokio::test]
async fn a_dropped_service_leaves_the_registry() {
    let world = World::default();
    let mut changes = world.registry.watch(WatchOptions::default()).await.unwrap();
    let service = world.service("greeter").start().await.unwrap();
    assert_eq!(changes.recv().await.unwrap().action, Action::Create);
    drop(service);
    assert_eq!(changes.recv().await.unwrap().action, Action::Delete);
}

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
    assert_eq!((report.requests_finished, report.requests_cut), (1, 0));
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
    assert_eq!((report.requests_finished, report.requests_cut), (0, 1));
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
    service.publish("numbers.odd", &Json(7_u32)).await.unwrap();
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
        service.publish("numbers", &Json(number)).await.unwrap();
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
fn slow_subscriber(
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
    service.publish("numbers", &Json(0_u32)).await.unwrap();
    let (_, first) = gates.recv().await.unwrap();
    for number in 1..=5_u32 {
        service.publish("numbers", &Json(number)).await.unwrap();
    }
    first.send(()).unwrap();
    let (number, _shut) = gates.recv().await.unwrap();
    assert_eq!((number, service.events().lost), (1, 3));
}

#[tokio::test]
async fn events_are_handled_one_after_the_other_unless_told_otherwise() {
    let (builder, mut gates) = slow_subscriber(World::default().service("one"), SubscriberOptions::default());
    let service = builder.start().await.unwrap();
    for number in 0..2_u32 {
        service.publish("numbers", &Json(number)).await.unwrap();
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
        service.publish("numbers", &Json(number)).await.unwrap();
    }
    let _both = (gates.recv().await.unwrap(), gates.recv().await.unwrap());
}

#[tokio::test]
async fn a_stop_handles_the_events_that_were_delivered() {
    let (builder, mut gates) =
        slow_subscriber(World::default().service("greeter"), SubscriberOptions::default());
    let service = builder.start().await.unwrap();
    for number in 0..3_u32 {
        service.publish("numbers", &Json(number)).await.unwrap();
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
        service.publish("numbers", &Json(number)).await.unwrap();
    }
    let _shut = gates.recv().await.unwrap();
    assert_eq!(service.shutdown().await.unwrap().events_cut, 3);
}

#[tokio::test]
async fn a_layer_sees_every_request() {
    let seen = Arc::new(AtomicU64::new(0));
    let counter = seen.clone();
    let layer = tower::layer::layer_fn(move |routes: Routes| {
        let counter = counter.clone();
        tower::service_fn(move |request: Request| {
            counter.fetch_add(1, Ordering::SeqCst);
            tower::ServiceExt::oneshot(routes.clone(), request)
        })
    });
    let service = World::default()
        .service("greeter")
        .serve(greeter())
        .layer(layer)
        .start()
        .await
        .unwrap();
    call(&service, "greeter").await.unwrap();
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_error_of_a_layer_becomes_a_status() {
    let layer = |error: fn() -> tower::BoxError| {
        tower::layer::layer_fn(move |_: Routes| {
            tower::service_fn(move |_: Request| async move { Err::<Response, _>(error()) })
        })
    };
    let refused = |layer| async move {
        let service = World::default()
            .service("greeter")
            .serve(greeter())
            .layer(layer)
            .start()
            .await
            .unwrap();
        call(&service, "greeter").await.unwrap_err()
    };
    let status = refused(layer(|| Status::permission_denied("not you").into())).await;
    assert_eq!(status.code(), Code::PermissionDenied);
    let status = refused(layer(|| "broken".into())).await;
    assert_eq!((status.code(), status.message()), (Code::Internal, "broken"));
}
