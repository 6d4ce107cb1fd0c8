//! The peer: the service module of async-nats, with serde_json at both ends.
//!
//! Its best set-up: requests are answered within its loop, and caller and service have one connection together or one
//! each, whichever does more.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use async_nats::service::endpoint::Endpoint;
use async_nats::service::{Service, ServiceExt};
use async_nats::{Client, Subject};
use bytes::Bytes;
use futures::StreamExt;
use tokio::task::JoinSet;

use crate::cases::own_subject;
use crate::cases::request::{connect_service, request};
use crate::load::{Callers, Setup};
use crate::payload::Order;
use crate::threads::where_services_are;

/// With one connection, and with two.
pub(crate) async fn setups(url: &str, callers: usize) -> Result<Vec<Setup>> {
    let one = async_nats::connect(url).await?;
    let (here, there) = (async_nats::connect(url).await?, connect_service(url).await?);
    Ok(vec![
        setup("1 connection", one.clone(), one, callers).await?,
        setup("2 connections", here, there, callers)
            .await?
            .with_ends_apart(true),
    ])
}

async fn setup(name: &str, caller: Client, serving: Client, callers: usize) -> Result<Setup> {
    let group = own_subject();
    let serving = where_services_are(serve(serving, group)).await??;
    let subject = Subject::from(format!("{group}.echo"));
    let caller = Arc::new(caller);
    let call = move |id| request(caller.clone(), subject.clone(), id);
    Ok(Setup::new(name, Callers::new(callers, call), serving))
}

/// What lasts as long as the service.
async fn serve(serving: Client, group: &'static str) -> Result<(JoinSet<Result<()>>, Service)> {
    let service = serving.service_builder().start("bench", "1.0.0");
    let service = service.await.map_err(|error| anyhow!(error))?;
    let endpoint = service.group(group).endpoint("echo").await;
    let endpoint = endpoint.map_err(|error| anyhow!(error))?;
    // The server has the subscription when it has answered something that came after.
    serving.request("bench.nobody", Bytes::new()).await.err();
    let mut answering = JoinSet::new();
    answering.spawn(answer(endpoint));
    Ok((answering, service))
}

async fn answer(mut requests: Endpoint) -> Result<()> {
    while let Some(request) = requests.next().await {
        let order: Order = serde_json::from_slice(&request.message.payload)?;
        request.respond(Ok(serde_json::to_vec(&order)?.into())).await?;
    }
    Ok(())
}
