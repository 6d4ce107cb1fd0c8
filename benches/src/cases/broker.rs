//! Events from publish to receive, beside raw async-nats.

use std::sync::Arc;

use anyhow::Result;
use async_nats::{Client, Subject};
use broker_nats::NatsBroker;
use bytes::Bytes;
use futures::StreamExt;
use micro_core::{Broker, Message, PluginConfig, SubscribeOptions};
use nats_common::Connection;

use super::Case;
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

async fn ours(url: &str) -> Result<Vec<Setup>> {
    let config = PluginConfig::default().with_addresses(url);
    let one = NatsBroker::new(Connection::open(&config).await?);
    let here = NatsBroker::new(Connection::open(&config).await?);
    let there = NatsBroker::new(Connection::open(&config).await?);
    Ok(vec![
        our_setup("1 connection", one.clone(), one, "bench.ours.1").await?,
        our_setup("2 connections", here, there, "bench.ours.2").await?,
    ])
}

async fn our_setup(name: &str, from: NatsBroker, to: NatsBroker, topic: &'static str) -> Result<Setup> {
    let events = to.subscribe(topic, SubscribeOptions::default()).await?;
    let events = events.map(|event| Ok(event?.message.body));
    let from = Arc::new(from);
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
        peer_setup("1 connection", one.clone(), one, "bench.peer.1").await?,
        peer_setup("2 connections", here, there, "bench.peer.2").await?,
    ])
}

async fn peer_setup(name: &str, from: Client, to: Client, subject: &'static str) -> Result<Setup> {
    let events = to.subscribe(subject).await?;
    // The server has the subscription when it has answered something that came after.
    to.request("bench.nobody", Bytes::new()).await.err();
    let events = events.map(|message| Ok(message.payload));
    let subject = Subject::from_static(subject);
    let publish = move |body| {
        let (from, subject) = (from.clone(), subject.clone());
        async move { Ok(from.publish(subject, body).await?) }
    };
    Ok(Setup::new(name, Flow::new(publish, events), to))
}
