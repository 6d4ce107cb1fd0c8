//! Our side: the full stack, as a service author has it.
//!
//! A client with its registry cache and selector, a server with its router, and a node in the registry.

use std::sync::Arc;

use anyhow::Result;
use micro_core::registry::{Node, RegisterOptions};
use micro_core::{
    Client, Context, Json, ListenOptions, Registry, Router, Server, ServerOptions, ServiceRecord, Status,
    Transport,
};

use crate::load::{Callers, Setup};
use crate::payload::Order;

const SERVICE: &str = "bench";
const ENDPOINT: &str = "Bench.Echo";

/// What one end speaks through.
#[derive(Clone)]
pub(crate) struct Backends {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) registry: Arc<dyn Registry>,
}

/// A service at one end, and callers of it at the other.
pub(crate) async fn setup(name: &str, caller: Backends, service: Backends, callers: usize) -> Result<Setup> {
    let server = serve(&service).await?;
    let client = Client::builder()
        .transport(caller.transport)
        .registry(caller.registry)
        .build()?;
    let call = move |id| call(client.clone(), id);
    // What a registry was told is forgotten when it is dropped.
    Ok(Setup::new(name, Callers::new(callers, call), (server, service)))
}

async fn serve(backends: &Backends) -> Result<Server> {
    let listener = backends.transport.listen(ListenOptions::default()).await?;
    let router = Router::new().unary(ENDPOINT, echo);
    let endpoints = router.endpoints();
    let server = Server::serve(listener, router, ServerOptions::default());
    let mut node = Node::new("bench-1", server.address().as_str());
    node.metadata = server.metadata().clone();
    let mut record = ServiceRecord::new(SERVICE, "1").with_node(node);
    record.endpoints = endpoints;
    backends
        .registry
        .register(&record, RegisterOptions::default())
        .await?;
    Ok(server)
}

async fn echo(_: Context, order: Json<Order>) -> Result<Json<Order>, Status> {
    Ok(order)
}

async fn call(client: Client, id: u64) -> Result<()> {
    let order = Json(Order::new(id));
    let Json(answer): Json<Order> = client.unary(SERVICE, ENDPOINT, order).await?;
    answer.check(id)
}
