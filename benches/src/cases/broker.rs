//! Events from publish to receive, beside raw async-nats.

use std::sync::Arc;

use anyhow::Result;
use async_nats::{Client, Subject};
use broker_nats::{Encoding, NatsBroker};
use bytes::Bytes;
use futures::StreamExt;
use micro_core::{Broker, Message, PluginConfig, SubscribeOptions};
use nats_common::Connection;

use super::{Case, own_subject};
use crate::flow::Flow;
use crate::load::Setup;
use crate::rounds::Contest;

pub(crate) fn cases() -> Vec<Case> {
    let title = "broker publish to receive, 128 B";
    let case = Case::new("broker_vs_raw", title, "async-nats publish and subscribe", open);
    vec![case.unit("events/s").reaching(0.95)]
}

async fn open(url: String, _: usize) -> Result<Contest> {
    Ok(Contest {
        ours: ours(&url).await?,
        peer: peer(&url).await?,
    })
}

/// In either encoding.
async fn ours(url: &str) -> Result<Vec<Setup>> {
    let config = PluginConfig::default().with_addresses(url);
    let one = NatsBroker::new(Connection::open(&config).await?);
    let here = NatsBroker::new(Connection::open(&config).await?);
    let there = NatsBroker::new(Connection::open(&config).await?);
    let mut setups = Vec::new();
    for (encoding, name) in [
        (Encoding::Native, "native"),
        (Encoding::GoMicro, "go-micro's encoding"),
    ] {
        let publishing = |broker: &NatsBroker| Arc::new(broker.clone().with_encoding(encoding));
        for (connections, from, to) in [("1 connection", &one, &one), ("2 connections", &here, &there)] {
            let setup = format!("{name}, {connections}");
            let topic = own_subject();
            setups.push(our_setup(&setup, publishing(from), to.clone(), topic).await?);
        }
    }
    Ok(setups)
}

async fn our_setup(name: &str, from: Arc<NatsBroker>, to: NatsBroker, topic: &'static str) -> Result<Setup> {
    let events = to.subscribe(topic, SubscribeOptions::default()).await?;
    let events = events.map(|event| Ok(event?.message.body));
    let publish = move |body| {
        let from = from.clone();
        async move { Ok(from.publish(topic, Message::new(body)).await?) }
    };
    Ok(Setup::new(name, Flow::new(publish, events), to))
}

async fn peer(url: &str) -> Result<Vec<Setup>> {
    let one = async_nats::connect(url).await?;
    let (here, there) = (async_nats::connect(url).await?, async_nats::connect(url).await?);
    Ok(vec![
        peer_setup("1 connection", one.clone(), one).await?,
        peer_setup("2 connections", here, there).await?,
    ])
}

async fn peer_setup(name: &str, from: Client, to: Client) -> Result<Setup> {
    let subject = Subject::from_static(own_subject());
    let events = to.subscribe(subject.clone()).await?;
    // The server has the subscription when it has answered something that came after.
    to.request("bench.nobody", Bytes::new()).await.err();
    let events = events.map(|message| Ok(message.payload));
    // A clone of a client is several handles; of this it is one.
    let from = Arc::new(from);
    let publish = move |body| {
        let (from, subject) = (from.clone(), subject.clone());
        async move { Ok(from.publish(subject, body).await?) }
    };
    Ok(Setup::new(name, Flow::new(publish, events), to))
}
