//! In the registry, and out of it.

use futures::StreamExt;
use micro_core::transport::TransportCapabilities;
use micro_core::{DialOptions, ListenOptions, Listener, Socket, Transport};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::*;

/// A registry that refuses while it is told to.
#[derive(Debug, Default)]
pub(super) struct Moody {
    inner: MemoryRegistry,
    refuses: AtomicBool,
    /// Whether it registers and deregisters, and never says so.
    pub(super) stalls: AtomicBool,
    /// For how long each registration was to hold.
    pub(super) registered: Mutex<Vec<Duration>>,
    changed: Notify,
}

#[async_trait]
impl Registry for Moody {
    fn name(&self) -> &'static str {
        "moody"
    }

    async fn register(&self, service: &ServiceRecord, options: RegisterOptions) -> Result<()> {
        self.registered.lock().push(options.ttl);
        self.changed.notify_one();
        match self.refuses.load(Ordering::SeqCst) {
            true => return Err(Error::new(ErrorKind::Unavailable, "the registry is away")),
            false => self.inner.register(service, options).await?,
        }
        if self.stalls.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    async fn deregister(&self, service: &ServiceRecord) -> Result<()> {
        self.inner.deregister(service).await?;
        if self.stalls.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        Ok(())
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
    service.publish_to("numbers", &Json(7_u32)).await.unwrap();
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

pub(super) async fn health_that(service: &Service, is: impl Fn(&Health) -> bool) -> Health {
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

#[tokio::test]
async fn a_start_that_is_given_up_leaves_the_registry() {
    let (world, moody) = (World::default(), Arc::new(Moody::default()));
    moody.stalls.store(true, Ordering::SeqCst);
    let mut changes = moody.watch(WatchOptions::default()).await.unwrap();
    let start = world.service("greeter").registry(moody.clone()).start();
    tokio::select! {
        started = start => panic!("{started:?}"),
        change = changes.recv() => assert_eq!(change.unwrap().action, Action::Create),
    }
    assert_eq!(changes.recv().await.unwrap().action, Action::Delete);
}

/// A transport whose listeners end when they are told to.
#[derive(Debug, Default)]
struct Ending {
    inner: MemoryTransport,
    end: CancellationToken,
}

#[async_trait]
impl Transport for Ending {
    fn name(&self) -> &'static str {
        "ending"
    }

    fn capabilities(&self) -> TransportCapabilities {
        self.inner.capabilities()
    }

    async fn listen(&self, options: ListenOptions) -> Result<Listener> {
        let listener = self.inner.listen(options).await?;
        let (address, metadata) = (listener.address().clone(), listener.metadata().clone());
        let sockets = futures::stream::unfold(listener, async |mut listener| {
            Some((listener.accept().await, listener))
        });
        let sockets = sockets.take_until(self.end.clone().cancelled_owned());
        Ok(Listener::new(address, metadata, sockets, async { Ok(()) }))
    }

    async fn dial(&self, address: &Address, options: DialOptions) -> Result<Socket> {
        self.inner.dial(address, options).await
    }
}

#[tokio::test]
async fn a_listener_that_ends_shows_in_health() {
    let transport = Arc::new(Ending::default());
    let service = World::default().service("greeter").transport(transport.clone());
    let service = service.serve(greeter()).start().await.unwrap();
    assert_eq!(call(&service, "greeter").await.unwrap(), "Hello Ada");
    assert!(service.health().is_ok());
    transport.end.cancel();
    let Health::Degraded { reasons } = health_that(&service, |health| !health.is_ok()).await else {
        panic!("it is stopping")
    };
    assert!(reasons[0].contains("no more calls come in"), "{reasons:?}");
}
