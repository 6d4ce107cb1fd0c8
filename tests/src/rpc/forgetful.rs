//! Services that the registry knew a moment ago, and does not find now.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use micro_core::registry::{RegisterOptions, WatchOptions};
use micro_core::{Change, Code, Error, ErrorKind, Registry, Result, ServiceRecord, Watcher};
use tokio::sync::watch;

use super::RpcWorld;
use super::handlers::router;
use super::stage::{PATIENCE, Process, SERVICE, ask, refused};

/// As the registry within, until it is told to forget: from then on its watchers learn that they may have missed
/// something, and nobody is found; as over NATS where the service is cut off, and this side was for a moment.
#[derive(Debug)]
struct Forgetful {
    below: Arc<dyn Registry>,
    forgets: watch::Sender<bool>,
}

impl Forgetful {
    fn before(process: &mut Process) -> Arc<Self> {
        let forgetful = Arc::new(Forgetful {
            below: process.registry.clone(),
            forgets: watch::Sender::new(false),
        });
        process.registry = forgetful.clone();
        forgetful
    }

    fn forget(&self) {
        self.forgets.send_replace(true);
    }
}

#[async_trait]
impl Registry for Forgetful {
    fn name(&self) -> &'static str {
        self.below.name()
    }

    async fn register(&self, service: &ServiceRecord, options: RegisterOptions) -> Result<()> {
        self.below.register(service, options).await
    }

    async fn deregister(&self, service: &ServiceRecord) -> Result<()> {
        self.below.deregister(service).await
    }

    async fn get(&self, name: &str) -> Result<Vec<ServiceRecord>> {
        let forgets = *self.forgets.borrow();
        match forgets {
            true => Err(Error::new(ErrorKind::NotFound, "nobody answers")),
            false => self.below.get(name).await,
        }
    }

    async fn list(&self) -> Result<Vec<ServiceRecord>> {
        self.below.list().await
    }

    async fn watch(&self, options: WatchOptions) -> Result<Watcher> {
        let below = self.below.watch(options).await?;
        let mut forgets = self.forgets.subscribe();
        let missed = stream::once(async move {
            // The sender lives as long as the registry does.
            let _ = forgets.wait_for(|forgets| *forgets).await;
            Err::<Change, _>(Error::new(ErrorKind::Unavailable, "changes may be missing"))
        });
        let changes = stream::unfold(below, async |mut below| {
            let change = below.recv().await;
            let closed = change
                .as_ref()
                .is_err_and(|error| error.kind() == ErrorKind::Closed);
            (!closed).then_some((change, below))
        });
        Ok(Watcher::new(stream::select(changes, missed.boxed())))
    }
}

/// A service that is there is called, though the registry does not find it any more.
pub async fn a_registry_that_forgets_stops_no_call(world: &RpcWorld) {
    let (mut here, there) = (Process::open(world).await, Process::open(world).await);
    let registry = Forgetful::before(&mut here);
    let _server = there.serve("node", router()).await;
    let client = here.client();
    assert_eq!(ask(&client, "Test.Double", 1).await, Ok(2));
    registry.forget();
    for number in 0..100 {
        assert_eq!(ask(&client, "Test.Double", number).await, Ok(number * 2));
    }
}

/// A service whose nodes are gone without a word is `Unavailable`, and not unknown, though the registry finds it no more;
/// once it is taken out of the registry, it is unknown.
pub async fn what_was_known_a_moment_ago_is_unavailable(world: &RpcWorld) {
    let (mut here, there) = (Process::open(world).await, Process::open(world).await);
    let registry = Forgetful::before(&mut here);
    let server = there.serve("node", router()).await;
    let client = here.client();
    assert_eq!(ask(&client, "Test.Double", 1).await, Ok(2));
    let listed = server.die().await;
    registry.forget();
    for _ in 0..10 {
        let status = refused(&client, "Test.Double", 1).await;
        assert_eq!(status.code(), Code::Unavailable, "{status}");
        assert!(status.message().contains(SERVICE), "{status}");
        assert!(status.is_never_delivered(), "{status:?}");
    }
    listed.withdraw().await;
    let begun = Instant::now();
    while refused(&client, "Test.Double", 1).await.code() != Code::NotFound {
        assert!(begun.elapsed() < PATIENCE, "it is not taken away");
    }
}
