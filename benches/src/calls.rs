//! Our side's calls, over every way in which a caller can reach a service.

use std::sync::Arc;

use anyhow::{Result, ensure};
use micro_core::{Client, PluginConfig, Streaming};
use nats_common::Connection;

use crate::forms::Form;
use crate::interface::{self, Echo, OrdersClient};
use crate::items::Items;
use crate::load::{Callers, Setup, Side};
use crate::payload::{self, Order, Tick, Upto};
use crate::polling::busy_poll;
use crate::stack::{self, Backends, ECHO_BYTES, Service};
use crate::threads::where_services_are;

/// A way in which a caller can reach a service.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    pub(crate) caller: Backends,
    pub(crate) service: Backends,
    /// Whether the two share nothing.
    apart: bool,
}

impl Way {
    /// Within the process.
    pub(crate) fn memory() -> Self {
        let both = Backends::memory();
        Way {
            name: "in memory",
            caller: both.clone(),
            service: both,
            apart: false,
        }
    }

    /// Over NATS, with one connection for both, and with one each. A service author gets one to a process; two are
    /// what two processes would have.
    pub(crate) async fn nats(url: &str, on: fn(Arc<Connection>) -> Backends) -> Result<[Self; 2]> {
        let mut config = PluginConfig::default().with_addresses(url);
        config.busy_poll = busy_poll();
        let one = on(Connection::open(&config).await?);
        let here = on(Connection::open(&config).await?);
        let there = where_services_are(async move { Connection::open(&config).await });
        let there = on(there.await??);
        let way = |name, caller, service, apart| Way {
            name,
            caller,
            service,
            apart,
        };
        Ok([
            way("1 connection", one.clone(), one, false),
            way("2 connections", here, there, true),
        ])
    }

    /// Unary calls of typed orders.
    pub(crate) async fn orders<F: Form>(&self, clients: usize, callers: usize) -> Result<Setup> {
        let setup = self.named(F::NAME, clients);
        let (service, clients) = self.open(clients).await?;
        let name = service.name;
        let call = move |id| order::<F>(of_caller(&clients, id), name, id);
        Ok(self.set_up(&setup, Callers::new(callers, call), service))
    }

    /// Unary calls of a trait.
    pub(crate) async fn typed_orders(&self, echo: Echo, callers: usize) -> Result<Setup> {
        let (service, clients) = self.open(1).await?;
        let orders: Vec<_> = clients
            .iter()
            .map(|client| OrdersClient::new(client).with_service(service.name))
            .collect();
        let call = move |id| {
            let orders = orders[payload::caller_of(id) % orders.len()].clone();
            interface::order(orders, echo, id)
        };
        let name = self.named("a trait", 1);
        Ok(self.set_up(&name, Callers::new(callers, call), service))
    }

    /// Unary calls of bytes that nobody interprets.
    pub(crate) async fn bytes(&self, clients: usize, callers: usize) -> Result<Setup> {
        let setup = self.named("bytes", clients);
        let (service, clients) = self.open(clients).await?;
        let name = service.name;
        let call = move |id| bytes(of_caller(&clients, id), name, id);
        Ok(self.set_up(&setup, Callers::new(callers, call), service))
    }

    /// Streams of small items.
    pub(crate) async fn items<F: Form>(&self) -> Result<Setup> {
        let (service, clients) = self.open(1).await?;
        let name = service.name;
        let read = move |count| items::<F>(of_caller(&clients, 0), name, count);
        Ok(self.set_up(&self.named(F::NAME, 1), Items::new(read), service))
    }

    fn named(&self, form: &str, clients: usize) -> String {
        match clients {
            1 => format!("{form}, {}", self.name),
            _ => format!("{form}, {}, {clients} clients", self.name),
        }
    }

    /// Of a service that was [started](Way::start) this way.
    pub(crate) fn set_up(&self, name: &str, side: impl Side + 'static, service: Service) -> Setup {
        Setup::new(name, side, service).with_ends_apart(self.apart)
    }

    /// Starts a service at the other end.
    pub(crate) async fn start(&self) -> Result<Service> {
        let backends = self.service.clone();
        where_services_are(async move { Service::start(&backends).await }).await?
    }

    async fn open(&self, clients: usize) -> Result<(Service, Vec<Client>)> {
        let service = self.start().await?;
        let clients = (0..clients).map(|_| stack::client(&self.caller));
        Ok((service, clients.collect::<Result<_>>()?))
    }
}

/// Callers share the clients evenly.
fn of_caller(clients: &[Client], id: u64) -> Client {
    clients[payload::caller_of(id) % clients.len()].clone()
}

/// One call of an order, checked.
pub(crate) async fn order<F: Form>(client: Client, service: &'static str, id: u64) -> Result<()> {
    let order = F::of(Order::new(id));
    let answer: F::Of<Order> = client.unary(service, F::ECHO, order).await?;
    F::value(answer).check(id)
}

async fn bytes(client: Client, service: &'static str, id: u64) -> Result<()> {
    let answer = client.unary(service, ECHO_BYTES, payload::raw(id)).await?;
    payload::check_raw(&answer, id)
}

/// One stream, read to its end and checked.
pub(crate) async fn items<F: Form>(client: Client, service: &'static str, count: u64) -> Result<()> {
    let upto = F::of(Upto { count });
    let mut items: Streaming<F::Of<Tick>> = client.server_stream(service, F::COUNT, upto).await?;
    let mut next = 0;
    while let Some(item) = items.next().await {
        let number = F::value(item?).number;
        ensure!(number == next, "item {number} came in the place of {next}");
        next += 1;
    }
    ensure!(next == count, "{next} items of {count} came");
    Ok(())
}
