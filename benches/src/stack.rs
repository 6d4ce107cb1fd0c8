//! Our side: the full stack, as a service author has it.
//!
//! A client with its registry cache and selector, a server with its router, and a node in the registry.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use futures::StreamExt;
use micro_core::memory::{MemoryRegistry, MemoryTransport};
use micro_core::registry::{Node, RegisterOptions};
use micro_core::{
    Address, Client, Context, ListenOptions, Metadata, Registry, Router, Server, ServerOptions,
    ServiceRecord, Status, Streaming, Transport,
};
use nats_common::Connection;
use registry_nats::{NatsRegistry, RegistryOptions};
use transport_nats::{Encoding, NatsTransport};

use crate::forms::{AsJson, AsProto, Form};
use crate::interface::{Mirror, OrdersServer};
use crate::payload::{Order, Tick, Upto};

/// The endpoint that echoes bytes.
pub(crate) const ECHO_BYTES: &str = "Bench.EchoBytes";

/// Longer than any run: nobody refreshes records here.
const A_DAY: Duration = Duration::from_secs(86_400);

/// What one end speaks through.
#[derive(Clone)]
pub(crate) struct Backends {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) registry: Arc<dyn Registry>,
}

impl Backends {
    /// For both ends.
    pub(crate) fn memory() -> Self {
        Backends {
            transport: Arc::new(MemoryTransport::new()),
            registry: Arc::new(MemoryRegistry::new()),
        }
    }

    /// On a connection.
    pub(crate) fn nats(connection: Arc<Connection>) -> Self {
        Backends::nats_in(connection, Encoding::Native)
    }

    /// On a connection, in go-micro's encoding.
    pub(crate) fn nats_go_micro(connection: Arc<Connection>) -> Self {
        Backends::nats_in(connection, Encoding::GoMicro)
    }

    fn nats_in(connection: Arc<Connection>, encoding: Encoding) -> Self {
        let options = RegistryOptions::default().with_node_ttl(A_DAY);
        let transport = NatsTransport::new(connection.clone()).with_encoding(encoding);
        Backends {
            transport: Arc::new(transport),
            registry: Arc::new(NatsRegistry::new(connection, options)),
        }
    }
}

/// A service that runs until it is dropped, and whom it can be reached by.
pub(crate) struct Service {
    pub(crate) name: &'static str,
    server: Server,
    /// What a registry was told is forgotten when it is dropped.
    backends: Backends,
}

impl Service {
    pub(crate) async fn start(backends: &Backends) -> Result<Self> {
        let listener = backends.transport.listen(ListenOptions::default()).await?;
        let service = Service {
            name: unique_name(),
            server: Server::serve(listener, router(), ServerOptions::default()),
            backends: backends.clone(),
        };
        service.register(&*backends.registry).await?;
        Ok(service)
    }

    /// Makes it known.
    pub(crate) async fn register(&self, registry: &dyn Registry) -> Result<()> {
        let mut node = Node::new(format!("{}-node", self.name), self.server.address().as_str());
        node.metadata = self.server.metadata().clone();
        let mut record = ServiceRecord::new(self.name, "1").with_node(node);
        record.endpoints = router().endpoints();
        let options = RegisterOptions::default().with_ttl(A_DAY);
        Ok(registry.register(&record, options).await?)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &Address {
        self.server.address()
    }

    /// How it may be spoken to.
    pub(crate) fn metadata(&self) -> &Metadata {
        self.server.metadata()
    }

    /// The largest message that it can be sent, in bytes; `None` without a limit.
    pub(crate) fn max_message_size(&self) -> Option<usize> {
        self.backends.transport.capabilities().max_message_size
    }
}

/// A service author writes the name into the code; so few are made here that they may stay.
fn unique_name() -> &'static str {
    // Set-ups that share a registry must not find each other's services.
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("bench-{}", COUNT.fetch_add(1, Ordering::Relaxed)).leak()
}

/// A client at the other end.
pub(crate) fn client(backends: &Backends) -> Result<Client> {
    let client = Client::builder()
        .transport(backends.transport.clone())
        .registry(backends.registry.clone());
    Ok(client.build()?)
}

fn router() -> Router {
    Router::new()
        .unary(AsJson::ECHO, echo::<AsJson>)
        .unary(AsProto::ECHO, echo::<AsProto>)
        .unary(ECHO_BYTES, echo_bytes)
        .server_stream(AsJson::COUNT, count::<AsJson>)
        .server_stream(AsProto::COUNT, count::<AsProto>)
        .merge(OrdersServer::new(Mirror).into())
}

async fn echo<F: Form>(_: Context, order: F::Of<Order>) -> Result<F::Of<Order>, Status> {
    Ok(order)
}

async fn echo_bytes(_: Context, body: Bytes) -> Result<Bytes, Status> {
    Ok(body)
}

async fn count<F: Form>(_: Context, upto: F::Of<Upto>) -> Result<Streaming<F::Of<Tick>>, Status> {
    let numbers = futures::stream::iter(0..F::value(upto).count);
    Ok(Streaming::new(numbers.map(|number| Ok(F::of(Tick::new(number))))))
}
