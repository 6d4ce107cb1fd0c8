//! Processes that serve and call, and short words for what clauses do with them.

use std::sync::Arc;
use std::time::Duration;

use micro_core::registry::RegisterOptions;
use micro_core::selector::Strategy;
use micro_core::server::ShutdownReport;
use micro_core::{
    Client, ClientOptions, Json, ListenOptions, Metadata, Node, Registry, Router, Server, ServerOptions,
    ServiceRecord, Status, Transport,
};

use super::RpcWorld;
use crate::world::World;

/// The name of the service in clauses that have one.
pub(super) const SERVICE: &str = "test";

/// How long a call may take that ought to succeed. It bounds a failure.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// How long it may take to learn that something is gone. It bounds a failure: it takes milliseconds.
pub(super) const AT_ONCE: Duration = Duration::from_secs(1);

/// One process: its own instance of each backend.
pub(super) struct Process {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) registry: Arc<dyn Registry>,
}

impl Process {
    pub(super) async fn open(world: &RpcWorld) -> Self {
        Process {
            transport: World::<dyn Transport>::open(world).await,
            registry: World::<dyn Registry>::open(world).await,
        }
    }

    pub(super) fn client(&self) -> Client {
        self.client_with(ClientOptions::default())
    }

    pub(super) fn client_with(&self, options: ClientOptions) -> Client {
        let builder = Client::builder().options(options);
        let builder = builder.transport(self.transport.clone());
        builder.registry(self.registry.clone()).build().unwrap()
    }

    pub(super) fn client_that_selects(&self, strategy: Arc<dyn Strategy>) -> Client {
        let builder = Client::builder().selector(strategy);
        let builder = builder.transport(self.transport.clone());
        builder.registry(self.registry.clone()).build().unwrap()
    }

    pub(super) fn client_of(&self, options: ClientOptions, strategy: Arc<dyn Strategy>) -> Client {
        let builder = Client::builder().options(options).selector(strategy);
        let builder = builder.transport(self.transport.clone());
        builder.registry(self.registry.clone()).build().unwrap()
    }

    /// A node of the service; when this returns, it is registered.
    pub(super) async fn serve(&self, node: &str, router: Router) -> Instance {
        self.serve_with(node, router, ServerOptions::default()).await
    }

    pub(super) async fn serve_with(&self, node: &str, router: Router, options: ServerOptions) -> Instance {
        router.check().unwrap();
        let listener = self.transport.listen(ListenOptions::default()).await.unwrap();
        let server = Server::serve(listener, router, options);
        let listed = self
            .list(node, server.address().as_str(), server.metadata().clone())
            .await;
        Instance { server, listed }
    }

    /// A node of that version of the service.
    pub(super) async fn serve_version(&self, node: &str, version: &str, router: Router) -> Instance {
        router.check().unwrap();
        let listener = self.transport.listen(ListenOptions::default()).await.unwrap();
        let server = Server::serve(listener, router, ServerOptions::default());
        let (address, metadata) = (server.address().as_str(), server.metadata().clone());
        let listed = self.list_version(node, version, address, metadata).await;
        Instance { server, listed }
    }

    /// A node that says this of itself in the registry.
    pub(super) async fn serve_labelled(
        &self,
        node: &str,
        labels: &[(&str, &str)],
        router: Router,
    ) -> Instance {
        router.check().unwrap();
        let listener = self.transport.listen(ListenOptions::default()).await.unwrap();
        let server = Server::serve(listener, router, ServerOptions::default());
        let mut metadata = server.metadata().clone();
        let labels = labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        metadata.extend(labels);
        let listed = self.list(node, server.address().as_str(), metadata).await;
        Instance { server, listed }
    }

    /// Registers a node of the service.
    pub(super) async fn list(&self, node: &str, address: &str, metadata: Metadata) -> Listed {
        self.list_version(node, "1", address, metadata).await
    }

    async fn list_version(&self, node: &str, version: &str, address: &str, metadata: Metadata) -> Listed {
        let mut node = Node::new(node, address);
        node.metadata = metadata;
        let record = ServiceRecord::new(SERVICE, version).with_node(node);
        let options = RegisterOptions::default();
        self.registry.register(&record, options).await.unwrap();
        Listed {
            record,
            registry: self.registry.clone(),
        }
    }
}

/// A node that serves.
pub(super) struct Instance {
    pub(super) server: Server,
    pub(super) listed: Listed,
}

impl Instance {
    /// Leaves as a service does that was asked to: the registry first, and then what still runs may finish.
    pub(super) async fn leave(self, limit: Duration) -> ShutdownReport {
        self.listed.withdraw().await;
        self.server.shutdown(limit).await.unwrap()
    }

    /// Is gone without a word: the registry still lists it.
    pub(super) async fn die(self) -> Listed {
        self.server.shutdown(Duration::ZERO).await.unwrap();
        self.listed
    }
}

/// A place in the registry, which ends with the instance of the registry.
pub(super) struct Listed {
    record: ServiceRecord,
    registry: Arc<dyn Registry>,
}

impl Listed {
    /// Says once more that the node is there.
    pub(super) async fn refresh(&self) {
        let options = RegisterOptions::default();
        self.registry.register(&self.record, options).await.unwrap();
    }

    /// Takes the node out of the registry.
    pub(super) async fn withdraw(&self) {
        self.registry.deregister(&self.record).await.unwrap();
    }
}

/// A client in one process, and a node in another.
pub(super) async fn pair(world: &RpcWorld, router: Router) -> (Client, Instance) {
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let instance = there.serve("node", router).await;
    (here.client(), instance)
}

/// A unary call of numbers that ought to succeed.
pub(super) async fn ask(client: &Client, endpoint: &'static str, number: u64) -> Result<u64, Status> {
    let call = client.unary(SERVICE, endpoint, Json(number));
    call.timeout(PATIENCE).await.map(|Json(answer)| answer)
}

/// What the call ended with, which was no success.
pub(super) async fn refused(client: &Client, endpoint: &'static str, number: u64) -> Status {
    ask(client, endpoint, number).await.expect_err("no success")
}
