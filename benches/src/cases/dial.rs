//! A dial and the first call on it, beside a raw request, which dials nothing.
//!
//! The address is known. What makes sockets, the transport, is there before. In `client_vs_request` there is not even a
//! client: one is made, asks its registry, in memory, and watches it, before it dials and calls.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use micro_core::{Address, DialOptions, Message, Transport};

use super::{Case, request};
use crate::calls::{self, Way};
use crate::forms::{AsJson, Form};
use crate::load::{Callers, Setup};
use crate::payload::Order;
use crate::rounds::Contest;
use crate::stack::{self, Backends};

/// What each call makes for itself.
#[derive(Clone, Copy)]
enum Anew {
    Socket,
    Client,
}

pub(crate) fn cases() -> Vec<Case> {
    let dial = "a new socket's dial and first call, JSON, 128 B, on NATS";
    let client = "a new client's dial and first call, typed JSON, 128 B, on NATS";
    vec![
        Case::new("dial_vs_request", dial, request::NAME, |url, callers| {
            open(url, callers, Anew::Socket)
        })
        .reaching(0.9)
        .polling(),
        Case::new("client_vs_request", client, request::NAME, |url, callers| {
            open(url, callers, Anew::Client)
        }),
    ]
}

async fn open(url: String, callers: usize, anew: Anew) -> Result<Contest> {
    let mut ours = Vec::new();
    for way in Way::nats(&url, Backends::nats).await? {
        ours.push(match anew {
            Anew::Socket => sockets(way, callers).await?,
            Anew::Client => clients(way, callers).await?,
        });
    }
    Ok(Contest {
        ours,
        peer: request::setups(&url, callers).await?,
    })
}

async fn sockets(way: Way, callers: usize) -> Result<Setup> {
    let service = way.start().await?;
    let callee = Arc::new(Callee {
        transport: way.caller.transport.clone(),
        service: service.name,
        address: service.address().clone(),
        options: DialOptions::default().with_peer(service.metadata().clone()),
    });
    let call = move |id| {
        let callee = callee.clone();
        async move { callee.call(id).await }
    };
    Ok(way.set_up(way.name, Callers::new(callers, call), service))
}

async fn clients(way: Way, callers: usize) -> Result<Setup> {
    let service = way.start().await?;
    let known = Backends {
        registry: Backends::memory().registry,
        ..way.caller.clone()
    };
    service.register(&*known.registry).await?;
    let name = service.name;
    let call = move |id| {
        let client = stack::client(&known);
        async move { calls::order::<AsJson>(client?, name, id).await }
    };
    Ok(way.set_up(way.name, Callers::new(callers, call), service))
}

/// A service that is called without a client.
struct Callee {
    transport: Arc<dyn Transport>,
    service: &'static str,
    address: Address,
    options: DialOptions,
}

impl Callee {
    async fn call(&self, id: u64) -> Result<()> {
        let mut socket = self.transport.dial(&self.address, self.options.clone()).await?;
        socket.send(self.request(id)?).await?;
        let answer = socket.recv().await.context("the service closed the socket")??;
        serde_json::from_slice::<Order>(&answer.body)?.check(id)
    }

    /// As our clients write it: the first call on a socket has the id 0.
    fn request(&self, id: u64) -> Result<Message> {
        Ok(Message::new(serde_json::to_vec(&Order::new(id))?)
            .with_header("Micro-Service", self.service)
            .with_header("Micro-Endpoint", AsJson::ECHO)
            .with_header("Content-Type", "application/json")
            .with_header("Micro-ID", 0))
    }
}
