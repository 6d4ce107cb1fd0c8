//! Processes that run services and call them, and short words for what clauses do with them.

use std::sync::Arc;
use std::time::Duration;

use micro::{Service, ServiceBuilder};
use micro_core::registry::WatchOptions;
use micro_core::{
    Action, Broker, Client, Context, ErrorKind, Json, Registry, Router, ServiceRecord, Status, Transport,
    Watcher,
};
use tokio::sync::{mpsc, oneshot};

use super::ServiceWorld;
use crate::world::World;

/// How long a call may take that ought to succeed. It bounds a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// One process: its own instance of each backend.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) registry: Arc<dyn Registry>,
}

impl Process {
    pub(crate) async fn open(world: &ServiceWorld) -> Self {
        Process {
            transport: World::<dyn Transport>::open(world).await,
            broker: World::<dyn Broker>::open(world).await,
            registry: World::<dyn Registry>::open(world).await,
        }
    }

    /// A service on the backends of this process.
    pub(crate) fn service(&self, name: &str) -> ServiceBuilder {
        Service::builder(name)
            .transport(self.transport.clone())
            .broker(self.broker.clone())
            .registry(self.registry.clone())
    }

    pub(crate) fn client(&self) -> Client {
        let builder = Client::builder().transport(self.transport.clone());
        builder.registry(self.registry.clone()).build().unwrap()
    }

    /// Watches all services.
    pub(crate) async fn watch(&self) -> Watcher {
        self.registry.watch(WatchOptions::default()).await.unwrap()
    }

    /// What the registry says of a service.
    pub(crate) async fn find(&self, service: &str) -> Vec<ServiceRecord> {
        self.registry.get(service).await.unwrap()
    }

    /// Asks until nobody serves it any more.
    pub(crate) async fn until_gone(&self, service: &str) {
        loop {
            match self.registry.get(service).await {
                Ok(_) => tokio::task::yield_now().await,
                Err(error) if error.kind() == ErrorKind::NotFound => return,
                Err(error) => panic!("{error:?}"),
            }
        }
    }
}

/// The ids of all nodes, sorted.
pub(crate) fn ids(records: &[ServiceRecord]) -> Vec<String> {
    let nodes = records.iter().flat_map(|record| &record.nodes);
    let mut ids: Vec<_> = nodes.map(|node| node.id.clone()).collect();
    ids.sort_unstable();
    ids
}

/// Waits for the next change of that kind.
pub(crate) async fn see(watcher: &mut Watcher, action: Action) -> ServiceRecord {
    loop {
        let change = watcher.recv().await.unwrap();
        if change.action == action {
            return change.service;
        }
    }
}

/// `Test.Name`, which answers with a name: of an instance, say.
pub(crate) fn named(name: &str) -> Router {
    let name = name.to_owned();
    Router::new().unary("Test.Name", move |_: Context, _: Json<()>| {
        let name = name.clone();
        async move { Ok(Json(name)) }
    })
}

/// Who answers `Test.Name`.
pub(crate) async fn name(client: &Client, service: &str) -> Result<String, Status> {
    let call = client.unary(service.to_owned(), "Test.Name", Json(()));
    let Json(name) = call.timeout(PATIENCE).await?;
    Ok(name)
}

/// Calls of `Test.Wait` that have arrived; each ends when it is let.
pub(crate) type Arrivals = mpsc::Receiver<oneshot::Sender<()>>;

/// `Test.Wait`, of which each call arrives at the clause, and ends when it is let.
pub(crate) fn gate() -> (Arrivals, Router) {
    let (sender, arrivals) = mpsc::channel(64);
    let router = Router::new().unary("Test.Wait", move |_: Context, _: Json<()>| {
        let sender = sender.clone();
        async move { wait_at(sender).await.map(Json) }
    });
    (arrivals, router)
}

/// Arrives at the clause, and waits until it is let go on.
pub(crate) async fn wait_at(gate: mpsc::Sender<oneshot::Sender<()>>) -> Result<(), Status> {
    let (open, opened) = oneshot::channel();
    let closed = |_| Status::internal("the clause has ended");
    gate.send(open)
        .await
        .map_err(|_| Status::internal("the clause has ended"))?;
    opened.await.map_err(closed)
}

/// Calls `Test.Wait` from a task.
pub(crate) fn wait(client: &Client, service: &'static str) -> tokio::task::JoinHandle<Result<(), Status>> {
    let call = client.unary(service, "Test.Wait", Json(())).timeout(PATIENCE);
    tokio::spawn(async move { call.await.map(|Json(())| ()) })
}
