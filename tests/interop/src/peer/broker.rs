//! The broker, command by command.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use micro::{Json, Message, Proto, SubscribeOptions};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::{self, Kind};
use super::drive::Drive;
use super::{Peer, Task};

#[derive(Deserialize)]
struct PublishArgs {
    topic: String,
    #[serde(default)]
    header: BTreeMap<String, String>,
    body: String,
}

#[derive(Deserialize)]
struct TypedArgs {
    topic: String,
    #[serde(default)]
    kind: Kind,
    body: Value,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct SubscribeArgs {
    #[serde(rename = "as")]
    name: String,
    #[serde(default)]
    topic: String,
    #[serde(default)]
    queue: String,
}

pub(super) fn enter(drive: &mut Drive, peer: &Arc<Peer>) {
    let p = peer.clone();
    drive.on("publish", move |args: PublishArgs| {
        let peer = p.clone();
        async move { peer.publish(args).await }
    });
    let p = peer.clone();
    drive.on("publish_typed", move |args: TypedArgs| {
        let peer = p.clone();
        async move { peer.publish_typed(args).await }
    });
    let p = peer.clone();
    drive.on("subscribe", move |args: SubscribeArgs| {
        let peer = p.clone();
        async move { peer.subscribe(args).await }
    });
    let p = peer.clone();
    drive.on("unsubscribe", move |args: SubscribeArgs| {
        let left = p.listeners.take(&args.name).map(drop);
        async move { left }
    });
}

impl Peer {
    async fn publish(&self, args: PublishArgs) -> Result<()> {
        let message = Message {
            headers: body::headers(&args.header),
            body: STANDARD.decode(&args.body)?.into(),
        };
        Ok(self.backends.broker().publish(&args.topic, message).await?)
    }

    async fn publish_typed(&self, args: TypedArgs) -> Result<()> {
        let (publisher, headers) = (self.backends.publisher(), body::headers(&args.metadata));
        let text = args.body.as_str().unwrap_or_default().to_owned();
        match args.kind {
            Kind::Json => {
                publisher
                    .publish_with(&args.topic, &Json(args.body), headers)
                    .await?
            }
            Kind::Pb => publisher.publish_with(&args.topic, &Proto(text), headers).await?,
            Kind::Raw => body::unsupported("typed events of raw bytes")?,
        }
        Ok(())
    }

    /// Tells of each event that the broker hands out.
    async fn subscribe(&self, args: SubscribeArgs) -> Result<()> {
        let options = match args.queue.as_str() {
            "" => SubscribeOptions::default(),
            queue => SubscribeOptions::default().with_queue(queue),
        };
        let mut subscription = self.backends.broker().subscribe(&args.topic, options).await?;
        let (emitter, name) = (self.emitter.clone(), args.name.clone());
        let told = tokio::spawn(async move {
            while let Some(event) = subscription.recv().await {
                match event {
                    Ok(event) => emitter.emit(
                        &name,
                        json!({
                            "topic": event.topic.as_str(),
                            "header": body::shown_headers(event.headers()),
                            "body": STANDARD.encode(event.body()),
                        }),
                    ),
                    Err(error) => eprintln!("{name}: {error}"),
                }
            }
        });
        self.listeners.put(&args.name, Task(told));
        Ok(())
    }
}
