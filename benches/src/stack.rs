//! Our side: the full stack, as a service author has it.
//!
//! A client with its registry cache and selector, a server with its router, and a node in the registry.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use micro_core::registry::{Node, RegisterOptions};
use micro_core::{
    Client, Context, Json, ListenOptions, Registry, Router, Server, ServerOptions, ServiceRecord, Status,
    Transport,
};

use crate::load::{Callers, Setup};
use crate::payload::Order;

const ENDPOINT: &str = "Bench.Echo";

/// Longer than any run.
pub(crate) const A_DAY: Duration = Duration::from_secs(86_400);

/// What one end speaks through.
#[derive(Clone)]
pub(crate) struct Backends {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) registry: Arc<dyn Registry>,
}

/// A service at one end, and callers of it at the other.
pub(crate) async fn setup(name: &str, caller: Backends, service: Backends, callers: usize) -> Result<Setup> {
    // Set-ups that share a registry must not find each other's services.
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    // A service author writes the name into the code; so few are made here that they may stay.
    let service_name: &'static str = format!("bench-{number}").leak();
    let server = serve(&service, service_name).await?;
    let client = Client::builder()
        .transport(caller.transport)
        .registry(caller.registry)
        .build()?;
    let call = move |id| call(client.clone(), service_name, id);
    // What a registry was told is forgotten when it is dropped.
    Ok(Setup::new(name, Callers::new(callers, call), (server, service)))
}

async fn serve(backends: &Backends, name: &str) -> Result<Server> {
    let listener = backends.transport.listen(ListenOptions::default()).await?;
    let router = Router::new().unary(ENDPOINT, echo);
    let endpoints = router.endpoints();
    let server = Server::serve(listener, router, ServerOptions::default());
    let mut node = Node::new(format!("{name}-node"), server.address().as_str());
    node.metadata = server.metadata().clone();
    let mut record = ServiceRecord::new(name, "1").with_node(node);
    record.endpoints = endpoints;
    // Nobody refreshes it here.
    let options = RegisterOptions::default().with_ttl(A_DAY);
    backends.registry.register(&record, options).await?;
    Ok(server)
}

async fn echo(_: Context, order: Json<Order>) -> Result<Json<Order>, Status> {
    Ok(order)
}

async fn call(client: Client, service: &'static str, id: u64) -> Result<()> {
    let order = Json(Order::new(id));
    let Json(answer): Json<Order> = client.unary(service, ENDPOINT, order).await?;
    answer.check(id)
}
