//! The peer: raw async-nats `request()`, with serde_json at both ends.
//!
//! Its best set-up: the responder answers within its loop, without a task for each request, and caller and responder
//! have one connection together or one each, whichever does more.

use std::sync::Arc;

use anyhow::Result;
use async_nats::{Client, Subject};
use bytes::Bytes;
use futures::StreamExt;
use tokio::task::JoinHandle;

use super::own_subject;
use crate::load::{Callers, Setup};
use crate::payload::Order;
use crate::polling::{Awake, busy_poll};
use crate::threads::where_services_are;

pub(crate) const NAME: &str = "async-nats request() and serde_json";

/// With one connection, and with two. The client has no busy polling, so that its user would write it.
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

async fn setup(name: &str, caller: Client, responder: Client, callers: usize) -> Result<Setup> {
    let subject = Subject::from(own_subject());
    let responder = where_services_are(Responder::start(responder, subject.clone())).await??;
    // A clone of a client is several handles; of this it is one.
    let caller = Arc::new(caller);
    let call = move |id| request(caller.clone(), subject.clone(), id);
    let setup = Setup::new(name, Callers::new(callers, call), responder);
    Ok(match busy_poll() {
        Some(_) => setup.through("", |side| Arc::new(Awake(side))),
        None => setup,
    })
}

/// A connection at the other end.
pub(super) async fn connect_service(url: &str) -> Result<Client> {
    let url = url.to_owned();
    Ok(where_services_are(async_nats::connect(url)).await??)
}

pub(super) async fn request(client: Arc<Client>, subject: Subject, id: u64) -> Result<()> {
    let body = Bytes::from(serde_json::to_vec(&Order::new(id))?);
    let answer = client.request(subject, body).await?;
    serde_json::from_slice::<Order>(&answer.payload)?.check(id)
}

/// Answers until it is dropped.
struct Responder(JoinHandle<Result<()>>);

impl Responder {
    async fn start(client: Client, subject: Subject) -> Result<Self> {
        let mut requests = client.subscribe(subject).await?;
        // The server has the subscription when it has answered something that came after.
        client.request("bench.nobody", Bytes::new()).await.err();
        Ok(Responder(tokio::spawn(async move {
            while let Some(request) = requests.next().await {
                if let Some(reply) = request.reply {
                    let order: Order = serde_json::from_slice(&request.payload)?;
                    client.publish(reply, serde_json::to_vec(&order)?.into()).await?;
                }
            }
            Ok(())
        })))
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.0.abort();
    }
}
