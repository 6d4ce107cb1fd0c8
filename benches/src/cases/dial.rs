//! A dial and the first call on it, beside a raw request, which dials nothing.
//!
//! The address is known: the registry answers from memory. All else that a client needs before its first call is made
//! within the measured time.

use anyhow::Result;

use super::{Case, request};
use crate::calls::{self, Way};
use crate::forms::AsJson;
use crate::load::{Callers, Setup};
use crate::rounds::Contest;
use crate::stack::{self, Backends, Service};

pub(crate) fn cases() -> Vec<Case> {
    let title = "a new client's dial and first call, typed JSON, 128 B, on NATS";
    let case = Case::new("dial_vs_request", title, request::NAME, open);
    vec![case.reaching(0.9)]
}

async fn open(url: String, callers: usize) -> Result<Contest> {
    let mut ours = Vec::new();
    for way in Way::nats(&url, Backends::nats).await? {
        ours.push(setup(way, callers).await?);
    }
    Ok(Contest {
        ours,
        peer: request::setups(&url, callers).await?,
    })
}

async fn setup(way: Way, callers: usize) -> Result<Setup> {
    let service = Service::start(&way.service).await?;
    let known = Backends {
        registry: Backends::memory().registry,
        ..way.caller
    };
    service.register(&*known.registry).await?;
    let name = service.name;
    let call = move |id| {
        let client = stack::client(&known);
        async move { calls::order::<AsJson>(client?, name, id).await }
    };
    Ok(Setup::new(way.name, Callers::new(callers, call), service))
}
